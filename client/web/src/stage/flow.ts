// Where the bars before and after stand, and the bands of those who moved between them.
import type { Bars, Move } from "../protocol";

export interface Block {
  option: string;
  n: number;
  y: number;
  height: number;
}

export interface Band {
  before: string;
  after: string;
  n: number;
  path: string;
  isMove: boolean;
}

const GAP = 14;

/** Stack the options of a tally from top to bottom within `height`. */
export function blocks(bars: Bars, height: number): Block[] {
  const options = Object.entries(bars.options);
  const room = height - GAP * (options.length - 1);
  let y = 0;
  return options.map(([option, n]) => {
    const share = bars.n ? (room * n) / bars.n : 0;
    const block = { option, n, y, height: share };
    y += share + GAP;
    return block;
  });
}

/** The bands between two stacks; moves too few to show (n null) are left out. */
export function bands(
  before: Block[],
  after: Block[],
  moves: readonly Move[],
  left: number,
  right: number,
): Band[] {
  const used: Record<string, number> = {};
  const middle = (left + right) / 2;
  const take = (side: string, block: Block | undefined, n: number) => {
    if (!block || block.n === 0) return null;
    const size = (block.height * n) / block.n;
    const key = `${side} ${block.option}`;
    const y = block.y + (used[key] ?? 0);
    used[key] = (used[key] ?? 0) + size;
    return { y, size };
  };
  return moves.flatMap(({ before: from, after: to, n }) => {
    if (n === null || n === 0) return [];
    const a = take("before", before.find((b) => b.option === from), n);
    const b = take("after", after.find((block) => block.option === to), n);
    if (!a || !b) return [];
    const path =
      `M${left} ${a.y}C${middle} ${a.y} ${middle} ${b.y} ${right} ${b.y}` +
      `V${b.y + b.size}C${middle} ${b.y + b.size} ${middle} ${a.y + a.size} ${left} ${a.y + a.size}Z`;
    return [{ before: from, after: to, n, path, isMove: from !== to }];
  });
}
