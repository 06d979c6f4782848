import { expect, test } from "vitest";
import type { Cohort, GroupMean } from "../protocol";
import { comparedOptions, onWall, rowsOf, shortened, span } from "./cohorts";

const portions = (outer: number, n: number) => ({
  n,
  options: {
    outer: { n: outer, low: 0.4, high: 0.826 },
    inner: { n: n - outer, low: 0.17, high: 0.6 },
  },
});
const SITES: Cohort[] = [
  { name: "berlin", n: 20, before: portions(13, 20), after: portions(17, 20), hidden: null },
  { name: "oslo", n: 2, before: null, after: null, hidden: "few" },
];

test("a site's row has a dot for each vote, in whole percent", () => {
  const [berlin, oslo] = rowsOf(SITES, "outer");
  expect(berlin?.dots).toEqual([
    { value: 65, low: 40, high: 83 },
    { value: 85, low: 40, high: 83 },
  ]);
  expect(oslo).toEqual({ name: "oslo", n: 2, hidden: "few", dots: [] });
});

test("without a second vote there is one dot, without votes none", () => {
  const first = { ...SITES[0]!, after: null };
  const none = { ...SITES[0]!, n: 0, before: portions(0, 0), after: null };
  expect(rowsOf([first, none], "outer").map((row) => row.dots.length)).toEqual([1, 0]);
});

test("of two gaps one is compared, of two links all four answers", () => {
  expect(comparedOptions(SITES)).toEqual(["outer"]);
  expect(comparedOptions([SITES[1]!])).toEqual([]);
  const part = { n: 1, low: 0, high: 1 };
  const links = { n: 4, options: { outer: part, inner: part, both: part, neither: part } };
  expect(comparedOptions([{ ...SITES[0]!, before: links }])).toHaveLength(4);
});

test("the axis of means holds every interval", () => {
  const mean = (low: number, value: number, high: number): GroupMean => ({
    name: "x",
    n: 9,
    mean: value,
    low,
    high,
    hidden: null,
  });
  expect(span([mean(61.2, 70, 78.8), mean(55, 60, 65)])).toEqual([50, 80]);
  expect(span([mean(1.2, 1.4, 1.6)])).toEqual([1, 2]);
  expect(span([])).toEqual([0, 1]);
});

const sites = (...counts: number[]) => counts.map((n, i) => ({ name: `site-${i}`, n }));
const names = (found: readonly { name: string }[]) => found.map((site) => site.name);

test("a wall names all of six sites, and of more the largest and its own, in their order", () => {
  expect(onWall(sites(1, 2, 3, 4, 5, 6), null)).toEqual({ shown: sites(1, 2, 3, 4, 5, 6), more: 0 });
  const { shown, more } = onWall(sites(9, 1, 8, 2, 7, 3, 6), "site-1");
  expect(names(shown)).toEqual(["site-0", "site-1", "site-2", "site-4", "site-6"]);
  expect(more).toBe(2);
});

test("a shorter name keeps both ends, and the most letters that it may", () => {
  expect(shortened("oslo")).toBe("oslo");
  expect(shortened("gesamtschule-weltraumforschung-1")).toBe("gesamtsc…chung-1");
  expect(shortened("a".repeat(16))).toBe("a".repeat(16));
  expect(shortened("a".repeat(17))).toHaveLength(16);
});
