import { expect, test } from "vitest";
import { hrefOf, placeOf, type Place } from "./place";

const KEY = "0123456789abcdef0123456789abcdef";

test("a place survives its link", () => {
  const place: Place = { key: KEY, id: "four-hours", show: "phone", step: 7 };
  expect(placeOf(new URL(hrefOf(place), "http://x").hash)).toEqual(place);
});

test("what is missing or odd becomes the beginning of the bench", () => {
  const beginning = { key: null, id: "", show: "bench", step: 0 };
  expect(placeOf("")).toEqual(beginning);
  expect(placeOf("#admin=zz&step=-3&show=wall")).toEqual(beginning);
  expect(placeOf("#step=1.5").step).toBe(0);
});
