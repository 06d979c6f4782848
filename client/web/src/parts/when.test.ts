import { expect, test } from "vitest";
import { dayIn, moment } from "./when";

/** 25 November 2026, 20:30 UTC: the 26th in Auckland. */
const EVENING = Date.UTC(2026, 10, 25, 20, 30);

test("a moment is the class's, and says its time zone", () => {
  expect(moment(EVENING, "Pacific/Auckland", "en-GB")).toBe("26 November 2026 at 09:30 GMT+13");
  expect(moment(EVENING, "Europe/Berlin", "de")).toBe("25. November 2026 um 21:30 MEZ");
});

test("if the time zone is unknown, it is UTC, and says so", () => {
  for (const zone of [null, "Nowhere/Town"])
    expect(moment(EVENING, zone, "en-GB")).toBe("25 November 2026 at 20:30 UTC");
});

test("the day is that of the class, wherever the device is", () => {
  const day = dayIn(EVENING, "Pacific/Auckland");
  expect([day.getFullYear(), day.getMonth(), day.getDate()]).toEqual([2026, 10, 26]);
  expect(dayIn(EVENING, "America/Los_Angeles").getDate()).toBe(25);
});
