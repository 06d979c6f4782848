// The class as dots: where they are at the first tally, and the fewest moves that turn it
// into the second. Pure: no picture, no clock.
import type { Bars } from "../protocol";

/** Up to this many people, each is a dot; above it, a dot is several. */
const MOST_DOTS = 300;

export interface Dot {
  /** Index of the option it is at in the first tally; null: it comes with the second. */
  from: number | null;
  /** Index of the option it is at in the second tally; null: it goes. */
  to: number | null;
}

export interface Crowd {
  options: string[];
  /** People a dot. */
  each: number;
  dots: Dot[];
}

/** How many people a dot stands for if at most `n` have answered. */
export function each(n: number): number {
  return Math.max(1, Math.ceil(n / MOST_DOTS));
}

/** The dots of two tallies. Those who stay first, then those who go over: only the net
    change does, so the picture says nothing about the path of anyone. */
export function crowd(before: Bars, after: Bars | null): Crowd {
  const options = Object.keys(before.options);
  const size = each(Math.max(before.n, after?.n ?? 0));
  const first = options.map((option) => rounded(before.options[option] ?? 0, size));
  const second = after
    ? options.map((option) => rounded(after.options[option] ?? 0, size))
    : first;
  const dots: Dot[] = [];
  const add = (n: number, from: number | null, to: number | null) => {
    for (let i = 0; i < n; i += 1) dots.push({ from, to });
  };
  options.forEach((_, i) => add(Math.min(first[i]!, second[i]!), i, i));
  const over = options.map((_, i) => Math.max(0, first[i]! - second[i]!));
  const under = options.map((_, i) => Math.max(0, second[i]! - first[i]!));
  for (const i of options.keys()) {
    for (const j of options.keys()) {
      const n = Math.min(over[i]!, under[j]!);
      add(n, i, j);
      over[i]! -= n;
      under[j]! -= n;
    }
  }
  over.forEach((n, i) => add(n, i, null));
  under.forEach((n, j) => add(n, null, j));
  return { options, each: size, dots };
}

/** Dots of a number of people; one who is there is seen. */
const rounded = (n: number, size: number) => (n > 0 ? Math.max(1, Math.round(n / size)) : 0);

export interface Spot {
  x: number;
  y: number;
}

/** The places of `n` dots in a heap on the bottom of a box, row upon row. */
export function heap(n: number, box: { x: number; width: number; bottom: number }, gap: number): Spot[] {
  const perRow = Math.max(1, Math.floor(box.width / gap));
  return Array.from({ length: n }, (_, i) => {
    const row = Math.floor(i / perRow);
    const inRow = Math.min(perRow, n - row * perRow);
    const at = i % perRow;
    return {
      x: box.x + box.width / 2 + (at - (inRow - 1) / 2) * gap,
      y: box.bottom - (row + 0.5) * gap,
    };
  });
}

/** The greatest distance of dots at which the fullest heap still has room. */
export function gapFor(most: number, width: number, height: number, largest: number): number {
  let gap = largest;
  const fits = () => Math.ceil(most / Math.max(1, Math.floor(width / gap))) * gap <= height;
  while (gap > 1 && !fits()) gap *= 0.96;
  return gap;
}
