// A phone that is looked away from feels that a vote begins, and that the gap cracks.
import { item } from "../room/memory";
import type { Stage } from "../room/model";

export type Feel = "begins" | "cracks";

const PATTERNS: Record<Feel, number[]> = { begins: [60], cracks: [25, 40, 60] };
const ASKS = ["vote", "revote", "fix", "transfer"];

/** What there is to feel in a view; "" for nothing. */
export function feelOf(view: Stage): Feel | "" {
  if (ASKS.includes(view.phase)) return "begins";
  if (view.phase === "opening" && view.case !== null && view.gap === null) return "begins";
  return view.phase === "reveal" && view.verdict ? "cracks" : "";
}

/** Whether this device can do it at all. */
export const canVibrate = () => "vibrate" in navigator;
export const isVibrateOn = () => item.get("vibrate") !== "off";
export const setVibrate = (isOn: boolean) => item.set("vibrate", isOn ? null : "off");

/** Vibrate, unless the player or the system has switched that off. */
export function vibrate(feel: Feel): void {
  if (!canVibrate() || !isVibrateOn() || !navigator.userActivation?.hasBeenActive) return;
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  navigator.vibrate(PATTERNS[feel]);
}
