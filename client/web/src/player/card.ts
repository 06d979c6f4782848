// What a learner's card says, worked out from their own votes: pure, no page.
import type { CardItem, PrivateView } from "../protocol";

const SURE = 80;
const ENOUGH_MISSES = 2;
const ENOUGH_CHIPS = 4;
const FAR = 0.1;

export type Lean = "outer" | "inner" | "none" | "few";

export interface CardSummary {
  right: number;
  judged: number;
  wellSplit: CardItem[];
  sureAndWrong: CardItem[];
  lean: Lean;
  /** Per confidence given: how often right, of how many. */
  calibration: { percent: number; right: number; n: number }[];
  /** Mean confidence and share right (0 to 1), and which is more; null for too few. */
  bias: { said: number; right: number; way: "over" | "under" | "none" } | null;
  mean: number | null;
}

function firstVote(item: CardItem) {
  const vote = item.votes.find((v) => v.ballot === "vote" && !v.is_late);
  return vote && vote.is_right !== null ? vote : null;
}

function surest(item: CardItem): number {
  const answer = firstVote(item)?.answer;
  if (answer?.kind === "gap") return answer.confidence ?? 0;
  if (answer?.kind === "links")
    return Math.max(answer.outer.confidence ?? 0, answer.inner.confidence ?? 0);
  return 0;
}

/** Which way the misses lean, among cases with exactly one broken gap. */
function leanOf(missed: readonly CardItem[]): Lean {
  const calls = missed.flatMap((item) => {
    const answer = firstVote(item)?.answer;
    return answer?.kind === "gap" ? [answer.label] : [];
  });
  if (calls.length < ENOUGH_MISSES) return "few";
  const outer = calls.filter((label) => label === "outer").length;
  if (outer >= 0.75 * calls.length) return "outer";
  return outer <= 0.25 * calls.length ? "inner" : "none";
}

function calibrationOf(judged: readonly CardItem[]): CardSummary["calibration"] {
  const bins = new Map<number, { right: number; n: number }>();
  for (const item of judged) {
    const vote = firstVote(item);
    if (vote?.answer.kind !== "gap" || vote.answer.confidence === null) continue;
    const bin = bins.get(vote.answer.confidence) ?? { right: 0, n: 0 };
    bin.n += 1;
    bin.right += Number(vote.is_right);
    bins.set(vote.answer.confidence, bin);
  }
  return [...bins].map(([percent, bin]) => ({ percent, ...bin })).sort((a, b) => a.percent - b.percent);
}

function biasOf(bins: CardSummary["calibration"]): CardSummary["bias"] {
  const n = bins.reduce((sum, bin) => sum + bin.n, 0);
  if (n < ENOUGH_CHIPS) return null;
  const said = bins.reduce((sum, bin) => sum + bin.percent * bin.n, 0) / n / 100;
  const right = bins.reduce((sum, bin) => sum + bin.right, 0) / n;
  const way = said - right > FAR ? "over" : right - said > FAR ? "under" : "none";
  return { said, right, way };
}

export function summarize(you: PrivateView): CardSummary {
  const judged = you.card.filter((item) => firstVote(item) !== null);
  const missed = judged.filter((item) => !firstVote(item)?.is_right);
  const calibration = calibrationOf(judged);
  return {
    right: judged.length - missed.length,
    judged: judged.length,
    wellSplit: judged.filter((item) => firstVote(item)?.is_right),
    sureAndWrong: missed.filter((item) => surest(item) >= SURE),
    lean: leanOf(missed),
    calibration,
    bias: biasOf(calibration),
    mean: you.rounds ? you.points / you.rounds : null,
  };
}
