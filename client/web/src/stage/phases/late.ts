// The phases of the game on the wall, a .svelte file each beside this one: fetched right
// after the first paint, as one file. The lobby, which most walls begin with, is not here.
import { steerWords } from "../../i18n/late.svelte";
import { screenFinder, type Screen } from "../../parts/screens";
import type { Stage } from "../../room/model";
import type { Session } from "../../room/session.svelte";

/** What the screen of a phase is given: its own view as `view`. */
export interface PhaseProps {
  view: Stage;
  /** The site of this page. */
  here: string | null;
  /** For counts and clocks. */
  session: Session;
}

export const screenOf = screenFinder<PhaseProps>(
  import.meta.glob<Screen<PhaseProps>>("./*.svelte", { eager: true }),
);

/** Said beside the number of a case whose reveal is shown once more. */
export const shownAgain = () => steerWords().shownAgain;
