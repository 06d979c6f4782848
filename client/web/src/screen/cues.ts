// When the wall makes a sound: a phase begins, the last answer is in, the gap cracks.
// Pure: no page, no clock.
import type { Stage } from "../room/model";

export type Cue = "phase" | "all" | "crack";

/** What of a wall decides its sounds. */
export interface Heard {
  /** Phase and round, and in the opening minute the step. */
  place: string;
  /** Whether a broken gap is seen. */
  isCracked: boolean;
  /** Whether all who are here have answered the open vote. */
  isAll: boolean;
}

const OPEN = ["vote", "revote", "fix", "transfer"];

export function heardOf(view: Stage, progress: { answered: number; expected: number } | null): Heard {
  const step = view.phase === "opening" ? ` ${view.step}` : "";
  const isOpen = OPEN.includes(view.phase);
  const { answered, expected } = progress ?? { answered: 0, expected: 0 };
  return {
    place: `${view.phase}${step} ${view.room.round}`,
    isCracked:
      (view.phase === "reveal" && view.verdict !== null) ||
      view.phase === "transfer_reveal" ||
      (view.phase === "opening" && view.gap !== null),
    isAll: isOpen && expected > 1 && answered >= expected,
  };
}

/** The sound of a change; nothing for a page that has just come, and for what goes back. */
export function cueOf(before: Heard | null, now: Heard): Cue | null {
  if (!before) return null;
  if (now.isCracked && !before.isCracked) return "crack";
  if (now.place !== before.place) return "phase";
  return now.isAll && !before.isAll ? "all" : null;
}
