import { expect, test } from "vitest";
import type {
  HostPanel,
  Notice,
  PrivateView,
  Progress,
  RoomCard,
  ServerMessage,
  StoryView,
  Welcome,
} from "../protocol";
import { EMPTY, leftMs, reduce } from "./model";

const CARD: RoomCard = {
  code: "K7MQ2P",
  name: "",
  title: "First class",
  round: 0,
  rounds: 3,
  score_mode: "brier",
  chips: [],
  two_link: false,
  teams: [],
  goal: 84,
  is_locked: false,
  is_rehearsal: false,
  sound: true,
  practice_of: null,
  is_test: false,
};
const story = (phase: StoryView["phase"], round = 0): StoryView => ({
  room: { ...CARD, round },
  phase,
  story: { title: "A boat", text: "It circles.", year: 2016, kind: "documented", picture: null },
  clock: null,
  pinned: [],
});
const view = (version: number, stage: StoryView): ServerMessage => ({
  type: "view",
  version,
  view: stage,
});
const WELCOME: Welcome = {
  type: "welcome",
  role: "player",
  room: "K7MQ2P",
  player: "p1",
  name: "Ada",
  token: "p1.x",
  server: "two-gaps 0.1.0",
  now_ms: 10_500,
  site: null,
  addresses: [],
};
const PROGRESS: Progress = { type: "progress", answered: 2, expected: 9, joined: 9, closes_in_ms: null };

test("an older view never replaces a newer one", () => {
  const now = reduce(EMPTY, view(5, story("vote")), 0);
  expect(reduce(now, view(4, story("read")), 0)).toBe(now);
  expect(reduce(now, view(6, story("vote_closed")), 0).stage?.phase).toBe("vote_closed");
});

test("after a welcome versions count anew, and the clock is set", () => {
  const before = reduce(EMPTY, view(50, story("vote")), 0);
  const back = reduce(before, WELCOME, 10_000);
  expect(back.offsetMs).toBe(500);
  expect(reduce(back, view(1, story("discuss")), 0).stage?.phase).toBe("discuss");
});

test("progress belongs to its phase", () => {
  const voting = reduce(reduce(EMPTY, view(1, story("vote")), 0), PROGRESS, 0);
  expect(voting.progress?.answered).toBe(2);
  expect(reduce(voting, view(2, story("vote")), 0).progress?.answered).toBe(2);
  expect(reduce(voting, view(3, story("vote_closed")), 0).progress).toBeNull();
});

test("figures of an earlier phase go with it, early ones of this phase stay", () => {
  const panel = (version: number): ServerMessage => ({
    type: "panel",
    version,
    panel: { advised: "close_votes", warned_ms: null, closes_in_ms: null } as HostPanel,
  });
  const voting = reduce(reduce(EMPTY, view(1, story("vote")), 0), panel(1), 0);
  expect(reduce(voting, view(2, story("vote_closed")), 0).panel).toBeNull();
  const early = reduce(reduce(voting, panel(2), 0), view(2, story("vote_closed")), 0);
  expect(early.panel?.advised).toBe("close_votes");
  expect(reduce(early, panel(1), 0)).toBe(early);
});

test("a vote's refusal is the vote box's business, a command's is shown", () => {
  const refused = {
    type: "refused" as const,
    retry_ms: null,
    code: "wrong_phase",
    detail: "no",
    ref: 3,
    round: null,
    ballot: null,
    client: null,
    counter: null,
  };
  expect(reduce(EMPTY, refused, 0).refused).toEqual(refused);
  expect(reduce(EMPTY, { ...refused, client: "c", counter: 1 }, 0).refused).toBeNull();
});

test("a notice stands until the one that ends it", () => {
  const say = (code: Notice["code"]) => ({ type: "notice" as const, code, detail: "" });
  const down = reduce(EMPTY, say("storage_unavailable"), 1);
  const cut = reduce(down, say("site_cut"), 2);
  expect([cut.isStorageDown, cut.site]).toEqual([true, { isCut: true, atMs: 2 }]);
  const back = reduce(reduce(cut, say("storage_back"), 3), say("site_back"), 4);
  expect([back.isStorageDown, back.site]).toEqual([false, { isCut: false, atMs: 4 }]);
});

test("a warning ends by our own clock, however late it is looked at", () => {
  const you = { warned_ms: 20_000 } as PrivateView;
  expect(reduce(EMPTY, { type: "you", you }, 1_000).warnedUntilMs).toBe(20_750);
  const calm = { type: "you" as const, you: { ...you, warned_ms: null } };
  expect(reduce(EMPTY, calm, 1_000).warnedUntilMs).toBeNull();
});

test("a ballot that all have answered closes automatically, unless a change delays it", () => {
  const voting = reduce(EMPTY, view(1, story("vote")), 0);
  const closing = reduce(voting, { ...PROGRESS, closes_in_ms: 5_000 }, 1_000);
  expect(closing.closesMs).toBe(5_750);
  expect(reduce(closing, { ...PROGRESS, closes_in_ms: 5_000 }, 3_000).closesMs).toBe(7_750);
  expect(reduce(closing, { ...PROGRESS, closes_in_ms: null }, 3_000).closesMs).toBeNull();
  expect(reduce(closing, view(2, story("vote_closed")), 3_000).closesMs).toBeNull();
});

test("time left follows the server's clock", () => {
  expect(leftMs(12_000, 500, 10_000)).toBe(1_500);
  expect(leftMs(9_000, 500, 10_000)).toBe(0);
});
