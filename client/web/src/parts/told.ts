// Whose label a class sees now.
import type { Stage } from "../room/model";

const TOLD = new Set(["say", "fix", "fix_reveal", "transfer", "transfer_reveal"]);

/** The round whose label can be challenged on this screen; null if there is none:
    before its verdict, and in practice. */
export function toldRound(stage: Stage | null): number | null {
  if (stage === null || stage.room.practice_of !== null) return null;
  const isTold = stage.phase === "reveal" ? stage.verdict !== null : TOLD.has(stage.phase);
  return isTold ? stage.room.round : null;
}
