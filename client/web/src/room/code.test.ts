import { expect, test } from "vitest";
import codes from "../../../../tests/net/codes.json";
import { codeIn, readCode } from "./code";

test.each(codes as [string, string][])("%j is the code %s", (typed, code) => {
  expect(readCode(typed)).toBe(code);
});

test("the address of a page names its room", () => {
  expect(codeIn("/")).toBe("");
  expect(codeIn("/j/K7MQ2P/")).toBe("K7MQ2P");
  expect(codeIn("/J/k7mq2p")).toBe("K7MQ2P");
  expect(codeIn("/K7M%20Q2P")).toBe("K7MQ2P");
  expect(codeIn("/j/K7MQ2P%")).toBe("K7MQ2P");
});
