import { expect, test } from "vitest";
import { linked } from "./links";

const hrefs = (text: string) => linked(text).flatMap(({ href }) => (href ? [href] : []));

test("addresses, arXiv numbers and DOIs become links, and no other text changes", () => {
  const where = "ICML 2022; arXiv:2105.14111 (see https://openai.com/x/), doi:10.1016/j.1.";
  expect(hrefs(where)).toEqual([
    "https://arxiv.org/abs/2105.14111",
    "https://openai.com/x/",
    "https://doi.org/10.1016/j.1",
  ]);
  expect(linked(where).map(({ text }) => text).join("")).toBe(where);
});

test("a link goes to the web only, whatever a deck says", () => {
  expect(hrefs("javascript:alert(1) data:text/html,x Nature 3")).toEqual([]);
});
