import { expect, test } from "vitest";
import { pathOf, qr } from "./qr";

/** FNV-1a over the rows, so that a whole code is one number here. */
function hash(code: boolean[][]): number {
  const rows = code.map((row) => row.map(Number).join("")).join("\n");
  let value = 0x811c9dc5;
  for (const char of rows) value = Math.imul(value ^ char.charCodeAt(0), 0x01000193) >>> 0;
  return value;
}

const LINK = "http://192.168.1.7:8000/host#room=K7MQ2P&key=0123456789abcdef";

// Codes that fill their version are the same, bit for bit, as those of segno 1.6.6.
test.each([
  [14, 21, 4121831457],
  [42, 29, 2874934452],
  [84, 37, 3572434753],
  [106, 41, 1348974168],
  [122, 45, 3482535689],
  [152, 49, 1811511595],
])("a text of %i bytes makes a code of %i modules", (length, size, value) => {
  const code = qr(LINK.repeat(4).slice(0, length));
  expect(code?.length).toBe(size);
  expect(hash(code!)).toBe(value);
});

test("a text that is too long makes none", () => {
  expect(qr("x".repeat(153))).toBeNull();
});

test("a path draws each dark module once", () => {
  expect(pathOf([[true, false], [false, true]])).toBe("M0 0h1v1h-1zM1 1h1v1h-1z");
});
