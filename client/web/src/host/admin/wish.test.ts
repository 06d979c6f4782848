import { expect, test } from "vitest";
import { FIRST_WISH, messageOf, scoreModes, settingsOf, teamsOf, usualGoal } from "./wish";

test("without confidence a room can only count right and wrong", () => {
  const wish = { ...FIRST_WISH, askConfidence: false };
  expect(scoreModes(wish)).toEqual(["accuracy"]);
  expect(settingsOf(wish)).toMatchObject({ score_mode: "accuracy", confidence: false });
});

test("a two-link room cannot score by certainty or speed", () => {
  const wish = { ...FIRST_WISH, twoLink: true, scoreMode: "speed" as const };
  expect(settingsOf(wish).score_mode).toBe("brier");
});

test("teams are split, trimmed, and named once", () => {
  expect(teamsOf(" Red, blue ,,RED, ")).toEqual(["Red", "blue"]);
});

test("the whole deck and timers off are sent as absent", () => {
  const message = messageOf({ ...FIRST_WISH, deck: "pairs", timers: "off" });
  expect(message.length).toBeNull();
  expect(message.settings?.time_factor).toBeNull();
});

test("practice players make a rehearsal", () => {
  expect(messageOf({ ...FIRST_WISH, practice: 12 }).settings?.simulated).toBe(true);
});

test("the usual goal is what an honest class scores, and more where it votes twice", () => {
  expect(usualGoal("brier", "full")).toBe(81);
  expect(usualGoal("brier", "quick")).toBe(80);
  expect(usualGoal("accuracy", "full")).toBe(72);
  expect(usualGoal("certainty", "full")).toBe(1.5);
  expect(usualGoal("speed", "quick")).toBe(60);
});
