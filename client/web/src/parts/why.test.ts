import { expect, test } from "vitest";
import { causeOf } from "./why";

test("the server's reason tells the cause", () => {
  expect(causeOf("origin")).toBe("origin");
  expect(causeOf("upgrade")).toBe("upgrade");
  expect(causeOf("full")).toBe("busy");
  expect(causeOf("stopping")).toBe("busy");
});

test("without a reason the request never reached the server", () => {
  expect(causeOf(null)).toBe("filter");
  expect(causeOf(undefined)).toBe("filter");
});
