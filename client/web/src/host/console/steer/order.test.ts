import { expect, test } from "vitest";
import type { PlanItem } from "../../../protocol";
import { balance, following, moved, toCome } from "./order";

const item = (index: number, status: PlanItem["status"], outer = true, inner = false): PlanItem => ({
  index,
  status,
  case: `case-${index}`,
  title: `Case ${index}`,
  verdict: { outer, inner, is_contested: false },
  has_contrast: false,
  has_transfer: false,
  can_replay: false,
  can_open: false,
  can_show: false,
  is_shown: false,
});

const plan = [
  item(0, "revealed"),
  item(1, "to come", false, true),
  item(2, "skipped"),
  item(3, "to come"),
  item(4, "to come", true, true),
];

test("only rounds that are still to come change places, with one another", () => {
  expect(toCome(plan)).toEqual([1, 3, 4]);
  expect(moved(plan, 3, -1)).toEqual([3, 1, 4]);
  expect(moved(plan, 3, 1)).toEqual([1, 4, 3]);
  expect(moved(plan, 1, -1)).toBeNull();
  expect(moved(plan, 4, 1)).toBeNull();
  expect(moved(plan, 0, 1)).toBeNull();
});

test("cases of both gaps or of none do not count into the balance", () => {
  expect(balance(plan)).toEqual({ outer: 3, inner: 1 });
  expect(balance([{ ...plan[0]!, verdict: { outer: true, inner: false, is_contested: true } }])).toEqual({
    outer: 0,
    inner: 0,
  });
});

test("a case that was left open comes before the next one", () => {
  expect(following(plan)?.index).toBe(1);
  expect(following([...plan, item(5, "left")])?.index).toBe(5);
  expect(following([item(0, "revealed")])).toBeUndefined();
});
