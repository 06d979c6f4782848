import { expect, test } from "vitest";
import { words as t } from "../i18n/en";
import type { CaseSummary } from "../protocol";
import { foundCases } from "./cases";

const one = (title: string, outer: boolean, domain: string): CaseSummary =>
  ({
    id: title.toLowerCase(),
    title,
    domain,
    year: 2016,
    level: 1,
    kind: "documented",
    verdict: { outer, inner: !outer, is_contested: false },
  }) as unknown as CaseSummary;

const CASES = [one("Zebra", true, "games"), one("Boat", true, "games"), one("Ant", false, "robots")];
const found = (typed: string) =>
  foundCases(CASES, typed, t, (level) => `level ${level}`).map((case_) => case_.title);

test("cases stand by title", () => expect(found("")).toEqual(["Ant", "Boat", "Zebra"]));

test("a gap, a subject and a word of the title find a case, in any order", () => {
  expect(found("outer")).toEqual(["Boat", "Zebra"]);
  expect(found("inner ROBOTS")).toEqual(["Ant"]);
  expect(found("games  boat")).toEqual(["Boat"]);
  expect(found("robots outer")).toEqual([]);
});
