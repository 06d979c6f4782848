// Suggested names, for those who would rather not use their own.
import { text } from "../i18n/index.svelte";

function pick(words: string): string {
  const list = words.split(" ");
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return list[(random ?? 0) % list.length]!;
}

export function suggestedName(): string {
  return `${pick(text.t.nameKinds)} ${pick(text.t.nameAnimals)}`;
}

/** Several different ones. */
export function suggestedNames(count: number): string[] {
  const found = new Set<string>();
  while (found.size < count) found.add(suggestedName());
  return [...found];
}
