// What the steps of a reveal mean for the diagram.
import type { Step } from "../protocol";

const STATIONS = ["intended", "written", "learned"];

/** How many stations have been shown, 0 to 3. */
export function stationsShown(shown: readonly Step[]): number {
  return shown.filter((step) => STATIONS.includes(step.key)).length;
}

/** All texts shown so far, by the name of their field in the breakdown. */
export function textsOf(shown: readonly Step[]): Record<string, string> {
  return Object.assign({}, ...shown.map((step) => step.texts)) as Record<string, string>;
}
