import { expect, test } from "vitest";
import type { Measures } from "../../protocol";
import { interval, lean } from "./figures";

function measures(outer: number, inner: number, more: Partial<Measures> = {}): Measures {
  return {
    ballot: "vote",
    bars: { n: outer + inner, options: { outer, inner } },
    n: outer + inner,
    right: outer,
    interval: [0.481, 0.8545],
    mean_confidence: null,
    confident_errors: 0,
    tell_confident_errors: false,
    carried: 0,
    weaker: null,
    ...more,
  };
}

test("a class leans to the gap that it calls though the other one broke", () => {
  expect(lean(measures(4, 8), { outer: true, inner: false })).toBe("inner");
  expect(lean(measures(11, 1), { outer: true, inner: false })).toBeNull();
});

test("few votes, both gaps, or a repair tell no lean", () => {
  expect(lean(measures(1, 3), { outer: true, inner: false })).toBeNull();
  expect(lean(measures(4, 8), { outer: true, inner: true })).toBeNull();
  expect(lean(measures(4, 8, { ballot: "fix" }), { outer: true, inner: false })).toBeNull();
});

test("the interval and shares are whole per cents", () => {
  expect(interval(measures(14, 6))).toEqual([48, 85]);
});
