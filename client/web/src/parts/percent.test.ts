import { expect, test } from "vitest";
import { percent, percentOf } from "./percent";

test("every share of up to 600 people is rounded as whole numbers say, halves up", () => {
  const wrong: string[] = [];
  for (let n = 1; n <= 600; n++)
    for (let k = 0; k <= n; k++)
      if (percent(k / n) !== Math.floor((200 * k + n) / (2 * n))) wrong.push(`${k} of ${n}`);
  expect(wrong).toEqual([]);
});

test("of no one it is nothing", () => {
  expect(percentOf(0, 0)).toBe(0);
  expect(percentOf(1, 8)).toBe(13);
});
