import { expect, test } from "vitest";
import { addressOf, DARK, LIGHT, PLAIN } from "./picture";

const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 120">\n<path d="M0 0" fill="gray" stroke="black"/>\n</svg>';

test.each([LIGHT, DARK, PLAIN])("a drawing has the two colors of its surface: %o", (colors) => {
  const drawn = decodeURIComponent(addressOf(SVG, colors));
  expect(drawn).toContain(`<svg fill="${colors.ink}" `);
  expect(drawn).toContain(`fill="${colors.tone}" stroke="${colors.ink}"`);
  expect(drawn).not.toMatch(/black|gray/);
});

test("an address is one word, as a srcset needs it", () => {
  expect(addressOf(SVG, LIGHT)).toMatch(/^data:image\/svg\+xml,[^\s,"<>#]+$/);
});

function luminance(color: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

const contrast = (a: string, b: string) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
};

test.each([
  ["light", LIGHT, "#fbfaf7"],
  ["dark", DARK, "#12151b"],
  ["forced", PLAIN, "#ffffff"],
])("ink is seen on paper and on tone: %s", (_, { ink, tone }, paper) => {
  expect(contrast(ink, paper)).toBeGreaterThan(7);
  expect(contrast(ink, tone)).toBeGreaterThan(4.5);
});
