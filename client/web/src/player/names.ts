// Suggested names, for those who would rather not use their own.
const KINDS = "Quiet Bright Curious Steady Gentle Brave Clever Early Lucky Patient Quick Sunny";
const WHO = "Otter Heron Lynx Finch Badger Maple Comet Willow Falcon Hedgehog Marten Tern";

function pick(words: string): string {
  const list = words.split(" ");
  const [random] = crypto.getRandomValues(new Uint32Array(1));
  return list[(random ?? 0) % list.length]!;
}

export function suggestedName(): string {
  return `${pick(KINDS)} ${pick(WHO)}`;
}
