// The flows of a lesson, and how its votes close: what both forms of settings offer.
import type { HostView } from "../protocol";

export type Flow = HostView["flow"] & string;
export const FLOWS = ["quick", "full", "test"] as const satisfies readonly Flow[];

/** As the flow says; when all have answered or time is up; only by the host. */
export const CLOSINGS = ["flow", "true", "false"] as const;
export type Closing = (typeof CLOSINGS)[number];

/** The setting of a choice; null is as the flow says. */
export function closingOf(choice: string): boolean | null {
  return choice === "flow" ? null : choice === "true";
}

/** How many minutes the first rounds of a deck take: all of them if `length` is 0. */
export function minutesOf(minutes: readonly number[] | undefined, length: number): number {
  return minutes?.at(length - 1) ?? 0;
}
