// Figures of the private panel, worked out from what the server measured. Pure.
import { percent } from "../../parts/percent";
import type { Measures, Truth } from "../../protocol";

export type Lean = "outer" | "inner" | null;

/** The interval of the proportion right, in percent. */
export function interval(measures: Measures): [number, number] {
  const [low, high] = measures.interval;
  return [percent(Number(low)), percent(Number(high))];
}

/** Which gap the class calls too often, if one of the two is clearly called more
    than the truth would have it; null if it is not, or too few have voted. */
export function lean(measures: Measures, truth: Truth): Lean {
  if (measures.ballot === "fix" || measures.n < 5 || truth.outer === truth.inner) return null;
  const wrong = truth.outer ? "inner" : "outer";
  const share = (measures.bars.options[wrong] ?? 0) / measures.n;
  return share >= 1 / 3 ? wrong : null;
}
