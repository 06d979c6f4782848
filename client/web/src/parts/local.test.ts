import { expect, test } from "vitest";
import { isLocal } from "./local";

test("addresses that phones cannot reach are known", () => {
  expect(["localhost", "127.0.0.1", "::1", "[::1]"].every(isLocal)).toBe(true);
  expect(["192.168.1.7", "class.test"].some(isLocal)).toBe(false);
});
