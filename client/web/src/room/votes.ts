// My vote on the open ballot and what has become of it: pure, no socket. A vote is
// kept with its (client, counter) until the server says that it is recorded, or that
// it will never count.
import type {
  Ballot,
  FixAnswer,
  GapAnswer,
  LinksAnswer,
  MyVote,
  Received,
  Recorded,
  RefusedMessage,
  Vote,
} from "../protocol";

export type Answer = GapAnswer | LinksAnswer | FixAnswer;

/** sending: on its way. kept: no connection; it waits here. received: stored at this
    site, on its way to the room's home. */
export type VoteState = "sending" | "received" | "kept" | "recorded" | "late" | "not_counted";

export interface Box {
  client: string;
  counter: number;
  vote: Vote | null;
  state: VoteState;
  /** Why it was not counted: the server's code, and its words. */
  code: string;
  detail: string;
  /** The vote that was recorded last: it counts if a change of it is refused. */
  last: Vote | null;
}

const RETRY = new Set(["storage_unavailable", "busy", "too_fast", "shutting_down"]);

export function emptyBox(client: string): Box {
  return { client, counter: 0, vote: null, state: "kept", code: "", detail: "", last: null };
}

/** Put a new answer, or a changed one, into the box. */
export function cast(
  box: Box,
  round: number,
  ballot: Ballot,
  answer: Answer,
  reason: string,
  isOnline: boolean,
): Box {
  const counter = box.counter + 1;
  const { client } = box;
  const vote: Vote = { type: "vote", round, ballot, client, counter, answer, reason };
  return { ...box, counter, vote, state: isOnline ? "sending" : "kept", code: "", detail: "" };
}

/** The vote that must be sent (again), or null. */
export function unrecorded(box: Box): Vote | null {
  return ["sending", "kept", "received"].includes(box.state) ? box.vote : null;
}

export function sent(box: Box): Box {
  return box.state === "kept" ? { ...box, state: "sending" } : box;
}

export function cut(box: Box): Box {
  return box.state === "sending" ? { ...box, state: "kept" } : box;
}

/** The site has it on disk: safe there, though the room does not know it yet. */
export function received(box: Box, message: Received): Box {
  const isOnItsWay = box.state === "sending" || box.state === "kept";
  return isMine(box, message) && isOnItsWay ? { ...box, state: "received" } : box;
}

export function recorded(box: Box, message: Recorded): Box {
  if (!isMine(box, message) || !box.vote) return box;
  return { ...box, state: message.is_late ? "late" : "recorded", last: box.vote };
}

/** The box after a refusal, and whether to send the same vote again in a moment. */
export function refused(box: Box, message: RefusedMessage): [Box, boolean] {
  if (!isMine(box, message) || !unrecorded(box)) return [box, false];
  if (RETRY.has(message.code)) return [{ ...box, state: "sending" }, true];
  const { code, detail } = message;
  if (code === "bad_word" && box.vote?.reason) {
    // The answer counts; only the line is not taken.
    const counter = box.counter + 1;
    const vote = { ...box.vote, reason: "", counter };
    return [{ ...box, counter, vote, state: "sending", code, detail }, true];
  }
  const vote = code === "too_many_changes" && box.last ? box.last : box.vote;
  return [{ ...box, vote, state: "not_counted", code, detail }, false];
}

function isMine(
  box: Box,
  message: { client: string | null; counter: number | null },
): boolean {
  return message.client === box.client && message.counter === box.counter;
}

export interface Standing {
  answer: Answer | null;
  reason: string;
  state: VoteState | null;
}

/** What this player's answer to a ballot is now: what was tapped last, else stored. */
export function standing(
  box: Box,
  round: number | null,
  ballot: Ballot,
  stored: readonly MyVote[],
): Standing {
  const { vote } = box;
  if (vote && vote.round === round && vote.ballot === ballot) {
    return { answer: vote.answer, reason: vote.reason, state: box.state };
  }
  const mine = stored.find((item) => item.ballot === ballot);
  if (!mine) return { answer: null, reason: "", state: null };
  const state = mine.is_late ? "late" : "recorded";
  return { answer: mine.answer, reason: mine.reason, state };
}
