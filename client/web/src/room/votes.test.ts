import { expect, test } from "vitest";
import type { Received, Recorded, RefusedMessage } from "../protocol";
import {
  cast,
  cut,
  emptyBox,
  received,
  recorded,
  refused,
  sent,
  standing,
  unrecorded,
  type Answer,
  type Box,
} from "./votes";

const OUTER: Answer = { kind: "gap", label: "outer", confidence: null };
const INNER: Answer = { kind: "gap", label: "inner", confidence: 80 };

function ack(box: Box): Recorded {
  return {
    type: "recorded",
    round: 0,
    ballot: "vote",
    client: box.client,
    counter: box.counter,
    answer: OUTER,
    is_late: false,
  };
}

function receipt({ client, counter }: Box): Received {
  return { type: "received", round: 0, ballot: "vote", client, counter };
}

function refusal(box: Box, code: string): RefusedMessage {
  const { client, counter } = box;
  const at = { round: 0, ballot: "vote" as const, client, counter };
  return { type: "refused", code, detail: "why", retry_ms: null, ref: null, ...at };
}

const one = cast(emptyBox("me"), 0, "vote", OUTER, "", true);

test("a vote is sending until it is recorded", () => {
  expect(one.state).toBe("sending");
  expect(recorded(one, ack(one)).state).toBe("recorded");
  expect(unrecorded(recorded(one, ack(one)))).toBeNull();
});

test("a changed vote has a new counter, and the old answer's ack is not its own", () => {
  const two = cast(one, 0, "vote", INNER, "because", true);
  expect(two.counter).toBe(one.counter + 1);
  expect(recorded(two, ack(one)).state).toBe("sending");
});

test("a cut connection keeps the vote, under the same pair", () => {
  const kept = cut(one);
  expect(kept.state).toBe("kept");
  expect(unrecorded(kept)).toEqual(one.vote);
});

test("what the site has is safe there, and is sent until the room has it", () => {
  const there = received(one, receipt(one));
  expect(there.state).toBe("received");
  expect(cut(there).state).toBe("received");
  expect(unrecorded(there)).toEqual(one.vote);
  expect(sent(there).state).toBe("received");
  expect(recorded(there, ack(one)).state).toBe("recorded");
});

test("a receipt after the ack, or for another vote, changes nothing", () => {
  const done = recorded(one, ack(one));
  expect(received(done, receipt(one))).toBe(done);
  expect(received(one, { ...receipt(one), counter: 99 })).toBe(one);
});

test("a temporary refusal is retried, another is shown", () => {
  expect(refused(one, refusal(one, "busy"))).toEqual([one, true]);
  const [box, again] = refused(one, refusal(one, "phase_closed"));
  expect([box.state, box.detail, again]).toEqual(["not_counted", "why", false]);
});

test("a change too many leaves the vote that was recorded", () => {
  const done = recorded(one, ack(one));
  const changed = cast(done, 0, "vote", INNER, "", true);
  const [box] = refused(changed, refusal(changed, "too_many_changes"));
  expect(standing(box, 0, "vote", [])).toEqual({ answer: OUTER, reason: "", state: "not_counted" });
  expect([box.code, box.counter]).toEqual(["too_many_changes", changed.counter]);
  expect(unrecorded(box)).toBeNull();
});

test("a refusal that comes after the ack changes nothing", () => {
  const done = recorded(one, ack(one));
  expect(refused(done, refusal(one, "phase_closed"))).toEqual([done, false]);
});

test("what stands is what was tapped last, else what the server stored", () => {
  expect(standing(one, 0, "vote", []).answer).toEqual(OUTER);
  expect(standing(one, 0, "revote", []).answer).toBeNull();
  expect(standing(one, 1, "vote", []).answer).toBeNull();
  const stored = [
    {
      ballot: "revote" as const,
      answer: INNER,
      reason: "r",
      is_late: false,
      is_right: null,
      points: null,
    },
  ];
  const mine = standing(one, 0, "revote", stored);
  expect(mine).toEqual({ answer: INNER, reason: "r", state: "recorded" });
});

test("a line with a word of the list is left out, and the answer counts", () => {
  const two = cast(one, 0, "vote", INNER, "you dumbo", true);
  const [box, again] = refused(two, refusal(two, "bad_word"));
  expect(again).toBe(true);
  expect(unrecorded(box)).toMatchObject({ answer: INNER, reason: "", counter: two.counter + 1 });
  const [last, more] = refused(box, refusal(box, "bad_word"));
  expect([last.state, more]).toEqual(["not_counted", false]);
  expect(recorded(box, ack(box)).code).toBe("bad_word");
});
