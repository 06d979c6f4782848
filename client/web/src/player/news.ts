// What a screen reader says of a phase: in sentences, since no one sees its bars and signs.
import { optionName, verdictWords } from "../diagram/words";
import { text } from "../i18n/index.svelte";
import { lateWords, talkWords } from "../i18n/late.svelte";
import { verdictOf } from "../parts/opening";
import type { Piece } from "../parts/screens";
import type { Bars, Label, MyVote, PrivateView, Talk } from "../protocol";
import type { Stage } from "../room/model";
import type { Answer } from "../room/votes";

/** An answer in words: "Outer, 80% sure". */
export function answerNews(answer: Answer): string {
  const { t } = text;
  const sure = (percent: number | null) => (percent === null ? t.notSaid : t.sure(percent));
  if (answer.kind === "gap") {
    return `${optionName(t, answer.label)}, ${sure(answer.confidence)}`;
  }
  if (answer.kind === "fix") return optionName(t, String(answer.option));
  const link = (name: string, { broke, confidence }: (typeof answer)["outer"]) =>
    `${name}: ${broke ? t.broke : t.held}, ${sure(confidence)}`;
  return `${link(t.outer, answer.outer)}; ${link(t.inner, answer.inner)}`;
}

/** A tally: "First vote: Outer 5, Inner 3." */
export function tallyNews(bars: Bars, title: string): string {
  const counts = Object.entries(bars.options).map(
    ([option, n]) => `${optionName(text.t, option)} ${n}`,
  );
  return `${title ? `${title}: ` : ""}${counts.join(", ")}.`;
}

/** A step of the opening minute: the line, a case, or the gap that broke in it. */
export function openingNews(index: number | null, gap: Label | null): string {
  const { t } = text;
  const o = lateWords().opening;
  const told = index === null ? null : o.cases[index];
  if (!told || index === null) {
    return `${o.title}. ${o.links} ${t.outerGap}: ${t.outerIs}. ${t.innerGap}: ${t.innerIs}.`;
  }
  if (gap) return `${verdictWords(t, verdictOf(gap))} ${told.why}`;
  return `${o.caseOf(index + 1)}: ${told.story} ${t.whichGap}`;
}

/** What a player tapped on a case of the opening minute; their view may be of another. */
export function ownTap(you: PrivateView | null, shown: number | null): Label | null {
  return you && you.tap_case === shown ? you.tap : null;
}

/** How I did in a case of the opening minute. */
export function tapNews(gap: Label | null, mine: Label | null): string {
  const { t } = text;
  if (!gap || !mine) return "";
  return `${t.youSaid}: ${optionName(t, mine)}. ${mine === gap ? t.right : t.wrong}.`;
}

/** Whom I talk to. */
function talkNews(talk: Talk | null): Piece[] {
  if (!talk) return [];
  const w = talkWords();
  const { names } = talk;
  const who = names.length ? { says: w.talkTo(text.list(names)), names } : w.talkFind(talk.others);
  return [`${w.talkGroup(talk.number)}.`, who];
}

/** What is mine alone: my partners, or my result once a verdict is shown. */
export function ownNews(stage: Stage, you: PrivateView | null): Piece[] {
  if (!you) return [];
  if (stage.phase === "discuss") return talkNews(you.talk);
  return [resultNews(stage, you)];
}

function resultNews(stage: Stage, you: PrivateView): string {
  const { t } = text;
  if (stage.phase === "opening") return tapNews(stage.gap, ownTap(you, stage.case));
  const judged = (ballots: string[]) =>
    you.votes.filter((vote) => ballots.includes(vote.ballot) && vote.is_right !== null);
  switch (stage.phase) {
    case "reveal":
      if (!stage.verdict) return "";
      return you.missed ? t.missedVote : judged(["vote", "revote"]).map(judgedNews).join(" ");
    case "transfer_reveal":
      return judged(["transfer"]).map(judgedNews).join(" ");
    case "fix_reveal": {
      const picked = you.votes.find((vote) => vote.ballot === "fix")?.answer;
      if (picked?.kind !== "fix") return "";
      const fate = t.repairs[stage.repairs[picked.option] ?? ""] ?? "";
      return `${t.chosen}: ${answerNews(picked)}, ${fate}.`;
    }
    default:
      return "";
  }
}

function judgedNews(vote: MyVote): string {
  const { t } = text;
  const said =
    vote.ballot === "vote"
      ? t.firstVoteShort
      : vote.ballot === "revote"
        ? t.secondVoteShort
        : t.youSaid;
  const how = vote.is_late ? t.states.late : vote.is_right ? t.right : t.wrong;
  const points =
    vote.points === null || vote.is_late ? "" : `, ${t.points(text.number(vote.points))}`;
  return `${said}: ${answerNews(vote.answer)}. ${how}${points}.`;
}
