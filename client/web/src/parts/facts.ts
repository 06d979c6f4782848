// The parts of a breakdown that are prose: their order, and what each is called.
import type { Catalogue } from "../i18n/en";
import type { RoomCard } from "../protocol";

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

/** Which case of the deck this is, or that one is played again for practice. */
export function caseWords(t: Catalogue, room: RoomCard): string {
  const again = room.practice_of ?? null;
  if (again !== null) return t.practiceOf(again + 1);
  return t.caseOf((room.round ?? 0) + 1, room.rounds);
}
