import { expect, test } from "vitest";
import { bounds, chance, isShown, percent, signed, written } from "./figures";

const figure = { value: 0.7, low: 0.481, high: 0.8545, n: 20 };

test("what n cannot carry is not shown", () => {
  expect(isShown(figure)).toBe(true);
  expect(isShown({ why: { key: "fewer_answers", text: "", values: {} }, n: 3, count: 2 })).toBe(false);
  expect(isShown(null)).toBe(false);
});

test("shares are whole per cents", () => {
  expect(written(0.7, "share", 2, "en")).toBe("70%");
  expect(bounds(figure, "share", 2, "en")).toEqual(["48", "85"]);
  expect(percent(null)).toBe("–");
});

test("a chance is never rounded up to certainty", () => {
  expect(chance(0.9999)).toBe("> 99%");
  expect(chance(0.86)).toBe("86%");
  expect(chance(0.001)).toBe("< 1%");
  expect(chance(null)).toBe("–");
});

test("numbers have a real minus sign, and never minus nought", () => {
  expect(signed(-0.374, 2, "en")).toBe("−0.37");
  expect(signed(-0.001, 2, "en")).toBe("0.00");
  expect(written(-0.123, "points", 2, "de")).toBe("−12");
  expect(signed(1.5, 2, "de")).toBe("1,50");
});
