// The console's links: keys live in the fragment, which never leaves the browser.
import { cohostKey, hostKey, nextHostKey, screenKey } from "../room/keys";

export type Place =
  | { kind: "admin"; key: string | null }
  | { kind: "room"; room: string; key: string }
  | { kind: "cohost"; room: string; key: string };

const KEY = /^[0-9a-f]{32}$/i;

/** What a fragment opens. Without a room: the admin page, perhaps without a key. */
export function placeOf(hash: string): Place {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const room = given.get("room")?.toUpperCase();
  const key = given.get("key");
  if (room && key && KEY.test(key)) return { kind: "room", room, key };
  const cohost = given.get("cohost");
  if (room && cohost && KEY.test(cohost)) return { kind: "cohost", room, key: cohost };
  const admin = given.get("admin");
  return { kind: "admin", key: admin && KEY.test(admin) ? admin : null };
}

export function roomHash(room: string, key: string): string {
  return `#room=${room}&key=${key}`;
}

/** The fragment of a room's console, for an admin; `salts` of links called back. */
export function ownedHash(room: string, adminKey: string, salts: readonly string[] = []): string {
  return roomHash(room, salts.reduce(nextHostKey, hostKey(adminKey, room)));
}

/** The report's link of a room: the console's own key opens it. */
export function reportHref(room: string, key: string): string {
  return `/report${roomHash(room, key)}`;
}

/** The same for an admin. */
export function ownedReport(room: string, adminKey: string): string {
  return `/report${ownedHash(room, adminKey)}`;
}

/** The link for a site's co-host; without `url`, what follows the site's own address. */
export function cohostHref(site: string, url: string, room: string, key: string): string {
  return `${url}/host#room=${room}&cohost=${cohostKey(key, site)}`;
}

/** The projector's link of a room: the host can make it, never the reverse. */
export function screenHref(room: string, key: string): string {
  return `/screen${roomHash(room, screenKey(key))}`;
}
