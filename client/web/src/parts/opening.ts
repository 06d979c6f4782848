// What the opening minute shows, from the step it is at: the same on every page.
import type { Label, Verdict } from "../protocol";

/** The gap that broke, as the diagram takes it. */
export function verdictOf(gap: Label): Verdict {
  return { outer: gap === "outer", inner: gap === "inner", is_contested: false };
}

/** The gap of each of the two cases: pages that show the minute again ask no server. */
export const GAPS: readonly Label[] = ["outer", "inner"];

type Station = "intended" | "written" | "learned";
const STATIONS: readonly Station[] = ["intended", "written", "learned"];

/** The texts of the stations that are drawn so far. */
export function drawn(texts: Record<Station, string>, shown: number): Record<string, string> {
  return Object.fromEntries(STATIONS.slice(0, shown).map((key) => [key, texts[key]]));
}
