import { expect, test } from "vitest";
import { crowd, each, gapFor, heap } from "./dots";

const bars = (outer: number, inner: number) => ({ n: outer + inner, options: { outer, inner } });

test("only the net change goes over", () => {
  const { dots } = crowd(bars(11, 6), bars(13, 4));
  expect(dots.filter((dot) => dot.from === 1 && dot.to === 0)).toHaveLength(2);
  expect(dots.filter((dot) => dot.from === 0 && dot.to === 1)).toHaveLength(0);
  expect(dots).toHaveLength(17);
});

test("equal tallies do not move, even if people changed their answers", () => {
  const { dots } = crowd(bars(8, 8), bars(8, 8));
  expect(dots.every((dot) => dot.from === dot.to)).toBe(true);
});

test("those who answer only the second time appear, and no dot is moved for them", () => {
  const { dots } = crowd(bars(11, 6), bars(13, 7));
  expect(dots.filter((dot) => dot.from === null).map((dot) => dot.to)).toEqual([0, 0, 1]);
  expect(dots.every((dot) => dot.from === null || dot.from === dot.to)).toBe(true);
});

test.each([5, 30, 300])("%i people are a dot each", (n) => {
  expect(each(n)).toBe(1);
  expect(crowd(bars(n, 0), bars(0, n)).dots).toHaveLength(n);
});

test("3,000 people are 300 dots of ten, and one person is one dot", () => {
  const { dots, each: size } = crowd(bars(2999, 1), null);
  expect(size).toBe(10);
  expect(dots.filter((dot) => dot.to === 1)).toHaveLength(1);
  expect(dots).toHaveLength(301);
});

test("before a second vote all dots are where they were", () => {
  expect(crowd(bars(3, 2), null).dots.map((dot) => dot.to)).toEqual([0, 0, 0, 1, 1]);
});

test("a heap stays in its box, with no dot on another", () => {
  const gap = gapFor(300, 500, 300, 30);
  const spots = heap(300, { x: 100, width: 500, bottom: 300 }, gap);
  expect(new Set(spots.map(({ x, y }) => `${x.toFixed(2)} ${y.toFixed(2)}`)).size).toBe(300);
  for (const { x, y } of spots) {
    expect(x).toBeGreaterThanOrEqual(100);
    expect(x).toBeLessThanOrEqual(600);
    expect(y).toBeGreaterThanOrEqual(0);
    expect(y).toBeLessThanOrEqual(300);
  }
});
