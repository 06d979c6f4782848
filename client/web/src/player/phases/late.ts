// The menu, and the phases of the game on a phone, a .svelte file each beside this one:
// fetched right after the first paint, as one file.
import { screenFinder, type Screen } from "../../parts/screens";
import type { Stage } from "../../room/model";
import type { Session } from "../../room/session.svelte";

export { default as Menu } from "../Menu.svelte";
export { default as Said } from "../Said.svelte";

/** What the screen of a phase is given: its own view as `stage`. */
export interface PhaseProps {
  session: Session;
  stage: Stage;
  /** Let another person join from this device. */
  change: () => void;
}

export const screenOf = screenFinder<PhaseProps>(
  import.meta.glob<Screen<PhaseProps>>("./*.svelte", { eager: true }),
);
