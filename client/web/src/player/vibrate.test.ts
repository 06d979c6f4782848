import { expect, test } from "vitest";
import type { Stage } from "../room/model";
import { feelOf } from "./vibrate";

const view = (phase: string, more: object = {}) => ({ phase, ...more }) as unknown as Stage;

test.each([
  [view("vote"), "begins"],
  [view("revote"), "begins"],
  [view("fix"), "begins"],
  [view("transfer"), "begins"],
  [view("opening", { case: 0, gap: null }), "begins"],
  [view("opening", { case: 0, gap: "outer" }), ""],
  [view("opening", { case: null, gap: null }), ""],
  [view("read"), ""],
  [view("discuss"), ""],
  [view("reveal", { verdict: null }), ""],
  [view("reveal", { verdict: {} }), "cracks"],
  [view("finished"), ""],
])("what there is to feel", (shown, feel) => {
  expect(feelOf(shown)).toBe(feel);
});
