// What every page says in its calm bar when something between it and the room is wrong.
import type { Catalogue } from "../i18n/en";
import type { Room } from "./model";
import { PASSING, type Link } from "./socket";

/** How long "the line is back" stays. */
const GOOD_NEWS_MS = 6000;

/** The bar's one sentence; empty while all is well. */
export function troubleOf(t: Catalogue, room: Room, link: Link, nowMs: number): string {
  if (link !== "open") return waiting(t, room);
  if (room.isStorageDown) return t.storage;
  if (room.site?.isCut) return t.siteCut;
  return room.site && nowMs - room.site.atMs < GOOD_NEWS_MS ? t.siteBack : "";
}

/** Why there is no open line: the server has no place, or no time, or is not there. */
function waiting(t: Catalogue, room: Room): string {
  if (room.bye?.code === "full") return t.byes.full ?? t.connecting;
  if (room.refused && PASSING.has(room.refused.code)) return t.serverBusy;
  return room.welcome ? t.reconnecting : t.connecting;
}
