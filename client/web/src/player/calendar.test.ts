import { expect, test } from "vitest";
import { calendar, comeBack } from "./calendar";

test("the day is six days on, also over the end of a month", () => {
  const day = comeBack(Date.UTC(2026, 10, 26, 14, 30), "Pacific/Auckland");
  expect([day.getFullYear(), day.getMonth(), day.getDate()]).toEqual([2026, 11, 3]);
});

test("a calendar file holds one whole day", () => {
  const file = calendar(new Date(2026, 11, 31), "Six cases, again; now", 0);
  const lines = file.split("\r\n");
  expect(lines).toContain("DTSTART;VALUE=DATE:20261231");
  expect(lines).toContain("DTEND;VALUE=DATE:20270101");
  expect(lines).toContain("DTSTAMP:19700101T000000Z");
  expect(lines).toContain("SUMMARY:Six cases\\, again\\; now");
  expect(lines.at(-1)).toBe("");
});
