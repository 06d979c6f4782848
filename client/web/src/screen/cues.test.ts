import { expect, test } from "vitest";
import type { Stage } from "../room/model";
import { cueOf, heardOf } from "./cues";

const view = (phase: string, more: object = {}, round = 0) =>
  ({ phase, room: { round }, verdict: null, gap: null, ...more }) as unknown as Stage;
const some = { answered: 1, expected: 2 };
const all = { answered: 2, expected: 2 };

test("a page that has just come is silent, whatever it shows", () => {
  for (const phase of ["lobby", "vote", "reveal", "finished"]) {
    expect(cueOf(null, heardOf(view(phase), all))).toBeNull();
  }
});

test("a phase is heard as it begins, and once", () => {
  const read = heardOf(view("read"), null);
  const vote = heardOf(view("vote"), null);
  expect(cueOf(read, vote)).toBe("phase");
  expect(cueOf(vote, heardOf(view("vote"), some))).toBeNull();
  expect(cueOf(vote, heardOf(view("vote", {}, 1), null))).toBe("phase");
});

test("the last answer is heard, and one that is alone is not", () => {
  const before = heardOf(view("vote"), some);
  expect(cueOf(before, heardOf(view("vote"), all))).toBe("all");
  expect(cueOf(heardOf(view("vote"), all), heardOf(view("vote"), all))).toBeNull();
  expect(cueOf(before, heardOf(view("vote"), { answered: 1, expected: 1 }))).toBeNull();
  expect(cueOf(heardOf(view("read"), all), heardOf(view("read"), all))).toBeNull();
});

test("the crack is heard with the verdict, not with the tallies before it", () => {
  const closed = heardOf(view("vote_closed"), all);
  const tallies = heardOf(view("reveal"), all);
  const verdict = heardOf(view("reveal", { verdict: {} }), all);
  expect(cueOf(closed, tallies)).toBe("phase");
  expect(cueOf(tallies, verdict)).toBe("crack");
  expect(cueOf(verdict, verdict)).toBeNull();
});
