import { expect, test } from "vitest";
import { pressOf } from "./remote";

test("a remote's keys lead on, go back or make the screen dark", () => {
  for (const key of [" ", "PageDown", "ArrowRight", "ArrowDown", "Enter"]) {
    expect(pressOf(key)).toBe("next");
  }
  for (const key of ["PageUp", "ArrowLeft", "ArrowUp"]) expect(pressOf(key)).toBe("back");
  for (const key of ["b", "B", "."]) expect(pressOf(key)).toBe("dark");
  expect(pressOf("r")).toBeNull();
});
