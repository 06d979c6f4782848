import { expect, test } from "vitest";
import { LANGUAGES } from "./index.svelte";

const FILES: Record<string, { words: unknown }> = import.meta.glob("./??{,.late,.staff,.report}.ts", { eager: true });
const PARTS = ["", ".late", ".staff", ".report"];

function shape(node: unknown): unknown {
  if (Array.isArray(node)) return node.length;
  if (typeof node !== "object" || node === null) return typeof node;
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => key !== "refusals" && key !== "sentences")
      .map(([key, value]) => [key, shape(value)]),
  );
}

test("every language says everything that English says", () => {
  expect(Object.keys(LANGUAGES)).toContain("de");
  for (const code of Object.keys(LANGUAGES)) {
    for (const part of PARTS) {
      const words = FILES[`./${code}${part}.ts`]?.words;
      expect(shape(words), `${code}${part}`).toEqual(shape(FILES[`./en${part}.ts`]?.words));
    }
  }
});

test("a language is called as it calls itself", () => {
  expect(LANGUAGES).toEqual({ en: "English", de: "Deutsch" });
});
