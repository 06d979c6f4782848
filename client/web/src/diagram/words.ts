// What the diagram says in words: the breakdown must never be a picture only.
import type { Verdict } from "../protocol";
import type { Catalogue } from "../i18n/en";

export type GapState = "unknown" | "broken" | "held" | "contested";

export function gapState(verdict: Verdict | null, gap: "outer" | "inner"): GapState {
  if (!verdict) return "unknown";
  if (verdict.is_contested) return "contested";
  return verdict[gap] ? "broken" : "held";
}

export function verdictWords(t: Catalogue, verdict: Verdict): string {
  if (verdict.is_contested) return t.verdictContested;
  if (verdict.outer && verdict.inner) return t.verdictBoth;
  if (verdict.outer) return t.verdictOuter;
  return verdict.inner ? t.verdictInner : t.verdictNeither;
}

/** The key of the sign (see Sign.svelte) that stands for a verdict. */
export function verdictSign(verdict: Verdict): string {
  if (verdict.is_contested) return "unknown";
  if (verdict.outer && verdict.inner) return "both";
  if (verdict.outer) return "outer";
  return verdict.inner ? "inner" : "neither";
}

/** The name of a thing that can be answered: a gap, or a repair by its letter. */
export function optionName(t: Catalogue, option: string): string {
  switch (option) {
    case "outer":
      return t.outer;
    case "inner":
      return t.inner;
    case "both":
      return t.both;
    case "neither":
      return t.neither;
    default:
      return "ABC"[Number(option)] ?? option;
  }
}
