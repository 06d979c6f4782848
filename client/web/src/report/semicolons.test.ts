import { expect, test } from "vitest";

import { hasDecimalComma, withSemicolons } from "./semicolons";

test("a table opens in columns if numbers have a decimal comma", () => {
  const csv = '\ufeffroom,points,reason\r\nABC,-37.5,"so, ""1.5""; yes"\r\nABC,,two.5\r\n';
  expect(withSemicolons(csv)).toBe(
    '\ufeffroom;points;reason\r\nABC;-37,5;"so, ""1.5""; yes"\r\nABC;;two.5\r\n',
  );
});

test("line ends in cells and empty last cells stay", () => {
  expect(withSemicolons('a,b\r\n"x\ny",\r\n')).toBe('a;b\r\n"x\ny";\r\n');
  expect(withSemicolons("")).toBe("");
});

test("German numbers have a decimal comma, English ones do not", () => {
  expect(hasDecimalComma("de")).toBe(true);
  expect(hasDecimalComma("en")).toBe(false);
});
