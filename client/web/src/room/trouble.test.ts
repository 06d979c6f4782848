import { expect, test } from "vitest";
import { words as en } from "../i18n/en";
import type { Bye, RefusedMessage, Welcome } from "../protocol";
import { EMPTY, type Room } from "./model";
import { troubleOf } from "./trouble";

const here: Room = { ...EMPTY, welcome: { role: "player" } as Welcome };

test("without trouble, nothing is shown", () => {
  expect(troubleOf(en, here, "open", 0)).toBe("");
});

test("the nearest trouble is shown first", () => {
  const all: Room = { ...here, isStorageDown: true, site: { isCut: true, atMs: 0 } };
  expect(troubleOf(en, all, "waiting", 0)).toBe(en.reconnecting);
  expect(troubleOf(en, all, "open", 0)).toBe(en.storage);
  expect(troubleOf(en, { ...all, isStorageDown: false }, "open", 0)).toBe(en.siteCut);
});

test("the return of the line is shown for a moment", () => {
  const back: Room = { ...here, site: { isCut: false, atMs: 1000 } };
  expect(troubleOf(en, back, "open", 2000)).toBe(en.siteBack);
  expect(troubleOf(en, back, "open", 9000)).toBe("");
});

test("a full or a busy server says so while the page tries again", () => {
  const full = { ...EMPTY, bye: { code: "full", come_back: true } as Bye };
  expect(troubleOf(en, full, "waiting", 0)).toBe(en.byes.full);
  const busy = { ...EMPTY, refused: { code: "busy" } as RefusedMessage };
  expect(troubleOf(en, busy, "connecting", 0)).toBe(en.serverBusy);
});
