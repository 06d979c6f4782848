// The room as this page knows it: a pure reducer over the server's messages. Nothing
// here reads a clock, a socket or the page.
import type {
  Bye,
  CohostPanel,
  HostPanel,
  HostView,
  Notice,
  PersonCard,
  PrivateView,
  Progress,
  RefusedMessage,
  ServerMessage,
  StoryView,
  View,
  Welcome,
} from "../protocol";

export type Stage = View["view"];
/** The view that a phase shows. */
export type StageOf<P extends Stage["phase"], V = Stage> = V extends { phase: infer Q }
  ? P extends Q
    ? V
    : never
  : never;
export type { StoryView };

export interface RosterPage {
  offset: number;
  total: number;
  people: PersonCard[];
}

export interface Room {
  welcome: Welcome | null;
  /** Version of the latest view; views with a smaller one are old news. */
  version: number;
  stage: Stage | null;
  host: HostView | null;
  panel: HostPanel | null;
  /** How far the room had come when the panel was made. */
  panelVersion: number;
  /** A co-host's figures of the own site. */
  ownSite: CohostPanel | null;
  progress: Progress | null;
  you: PrivateView | null;
  /** By our own clock: when the vote closes although some people have more time (for a
      player: although I have). */
  warnedUntilMs: number | null;
  /** The same for a ballot that all have answered, which closes automatically. */
  closesMs: number | null;
  roster: RosterPage | null;
  /** The server cannot save now. */
  isStorageDown: boolean;
  /** The line from this site to the room's home: cut, or back since `atMs`. */
  site: { isCut: boolean; atMs: number } | null;
  /** The latest refusal of something other than a vote. */
  refused: RefusedMessage | null;
  bye: Bye | null;
  /** Server's clock minus ours, in milliseconds. */
  offsetMs: number;
}

export const EMPTY: Room = {
  welcome: null,
  version: -1,
  stage: null,
  host: null,
  panel: null,
  panelVersion: -1,
  ownSite: null,
  progress: null,
  you: null,
  warnedUntilMs: null,
  closesMs: null,
  roster: null,
  isStorageDown: false,
  site: null,
  refused: null,
  bye: null,
  offsetMs: 0,
};

/** The room after one message that came at `atMs` by our own clock. */
export function reduce(room: Room, message: ServerMessage, atMs: number): Room {
  switch (message.type) {
    case "welcome":
      // A server that came back may count its versions anew.
      return {
        ...room,
        welcome: message,
        version: -1,
        panelVersion: -1,
        bye: null,
        refused: null,
        offsetMs: message.now_ms - atMs,
      };
    case "view":
      if (message.version < room.version) return room;
      return enter(room, message.version, message.view, null);
    case "host_view":
      if (message.version < room.version) return room;
      return enter(room, message.version, message.view.stage, message.view);
    case "panel":
      if (message.version < room.version) return room;
      return {
        ...room,
        panel: message.panel,
        panelVersion: message.version,
        warnedUntilMs: untilMs(message.panel.warned_ms, atMs),
        closesMs: untilMs(message.panel.closes_in_ms, atMs),
      };
    case "site_panel":
      return message.version < room.version ? room : { ...room, ownSite: message.panel };
    case "progress":
      return { ...room, progress: message, closesMs: untilMs(message.closes_in_ms, atMs) };
    case "you":
      return {
        ...room,
        you: message.you,
        warnedUntilMs: untilMs(message.you.warned_ms, atMs),
      };
    case "roster":
      return { ...room, roster: message };
    case "notice":
      return { ...room, ...troubled(message.code, atMs) };
    case "refused":
      return message.counter === null ? { ...room, refused: message } : room;
    case "done":
      return { ...room, refused: null };
    case "bye":
      return { ...room, bye: message };
    case "pong":
      return { ...room, offsetMs: message.now_ms - atMs };
    case "challenge":
    case "received":
    case "recorded":
    case "report":
    case "file":
    case "room_opened":
    case "room_list":
    case "room_deleted":
    case "host_link":
    case "deck_list":
    case "case":
    case "case_list":
    case "preview":
      return room;
  }
}

/** Our clock is looked at four times a second only: never promise a second more. */
const CLOCK_MS = 250;

function untilMs(inMs: number | null, atMs: number): number | null {
  return inMs == null ? null : atMs + inMs - CLOCK_MS;
}

function troubled(code: Notice["code"], atMs: number): Partial<Room> {
  switch (code) {
    case "storage_unavailable":
      return { isStorageDown: true };
    case "storage_back":
      return { isStorageDown: false };
    case "site_cut":
      return { site: { isCut: true, atMs } };
    case "site_back":
      return { site: { isCut: false, atMs } };
  }
}

function enter(room: Room, version: number, stage: Stage, host: HostView | null): Room {
  const isNewPhase =
    room.stage?.phase !== stage.phase || room.stage.room.round !== stage.room.round;
  return {
    ...room,
    version,
    stage,
    host: host ?? room.host,
    progress: isNewPhase ? null : room.progress,
    closesMs: isNewPhase ? null : room.closesMs,
    // Advice of the phase before must not be a press away.
    panel: isNewPhase && room.panelVersion < version ? null : room.panel,
  };
}

/** Milliseconds left to a deadline of the server, never below 0. */
export function leftMs(deadlineMs: number, offsetMs: number, nowMs: number): number {
  return Math.max(0, deadlineMs - (nowMs + offsetMs));
}
