import { expect, test } from "vitest";
import { bands, blocks } from "./flow";

const before = { n: 20, options: { outer: 10, inner: 10 } };
const after = { n: 20, options: { outer: 15, inner: 5 } };
const move = (a: string, b: string, n: number | null) => ({ before: a, after: b, n });

test("blocks share the height by their counts", () => {
  const [outer, inner] = blocks(before, 214);
  expect([outer!.height, inner!.height, inner!.y]).toEqual([100, 100, 114]);
});

test("an empty tally has blocks of no height", () => {
  expect(blocks({ n: 0, options: { outer: 0, inner: 0 } }, 200)[0]!.height).toBe(0);
});

test("bands join what stayed and what moved, and leave out what is too few", () => {
  const [left, right] = [blocks(before, 214), blocks(after, 214)];
  const moves = [
    move("outer", "outer", 10),
    move("inner", "outer", 5),
    move("inner", "inner", 5),
    move("outer", "inner", null),
  ];
  const drawn = bands(left, right, moves, 0, 100);
  expect(drawn.map((band) => band.isMove)).toEqual([false, true, false]);
  expect(drawn[1]!.path).toMatch(/^M0 114C/);
});
