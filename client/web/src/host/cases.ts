// Cases of the library as lists show them: by title, those that all typed words fit.
import { verdictWords } from "../diagram/words";
import type { Catalogue } from "../i18n/en";
import type { CaseSummary } from "../protocol";

/** The cases that a search finds, by title; `level` names how hard one is. */
export function foundCases(
  cases: readonly CaseSummary[],
  typed: string,
  t: Catalogue,
  level: (of: CaseSummary["level"]) => string,
): CaseSummary[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const told = (one: CaseSummary) =>
    [one.title, one.domain, one.year, one.id, verdictWords(t, one.verdict), level(one.level)]
      .join(" ")
      .toLowerCase();
  return cases
    .filter((one) => words.every((word) => told(one).includes(word)))
    .sort((a, b) => a.title.localeCompare(b.title, "en"));
}
