// Figures of the private panel, worked out from what the server measured. Pure.
import type { Measures, Truth } from "../../protocol";

export type Lean = "outer" | "inner" | null;

export function percent(part: number, whole: number): number {
  return whole ? Math.round((100 * part) / whole) : 0;
}

/** The interval of the proportion right, in per cent. */
export function interval(measures: Measures): [number, number] {
  const [low, high] = measures.interval;
  return [Math.round(100 * Number(low)), Math.round(100 * Number(high))];
}

/** Which gap the class calls too often, where one of the two is clearly called more
    than the truth would have it; null where it is not, or too few have voted. */
export function lean(measures: Measures, truth: Truth): Lean {
  if (measures.ballot === "fix" || measures.n < 5 || truth.outer === truth.inner) return null;
  const wrong = truth.outer ? "inner" : "outer";
  const share = (measures.bars.options[wrong] ?? 0) / measures.n;
  return share >= 1 / 3 ? wrong : null;
}
