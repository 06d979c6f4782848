// The parts of a breakdown that are prose: their order, and what each is called.
import type { Catalogue } from "../i18n/en";

export const FACTS = [
  "contested",
  "why",
  "why_not",
  "tempting",
  "flip",
  "fix",
  "owner",
  "more_capable",
  "residual",
  "say",
];

export function factNames(t: Catalogue): Record<string, string> {
  return {
    contested: t.bothSides,
    why: t.decidingFact,
    why_not: t.whyNot,
    tempting: t.tempting,
    flip: t.flip,
    fix: t.fix,
    owner: t.owner,
    more_capable: t.moreCapable,
    residual: t.residual,
    say: t.say,
  };
}
