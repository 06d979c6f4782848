// The form's choices, and the settings they stand for. Pure.
import { ownZone } from "../../parts/when";
import type { OpenRoom, RoomSettings } from "../../protocol";
import { closingOf, type Closing, type Flow } from "../flows";

export interface Wish {
  deck: string;
  /** 0: the whole deck. */
  length: number;
  scoreMode: RoomSettings["score_mode"];
  askConfidence: boolean;
  twoLink: boolean;
  /** A factor, or "off". */
  timers: string;
  /** Begin with the opening minute, if the deck has one. */
  minute: boolean;
  /** Empty: as the deck says. */
  flow: Flow | "";
  closing: Closing;
  showNames: boolean;
  pairs: boolean;
  podium: boolean;
  /** Sounds on the wall. */
  sound: boolean;
  suggestedNames: boolean;
  /** Names separated by commas. */
  teams: string;
  practice: number;
  /** Mean round score that the class plays for; null or empty: the usual one. */
  goal: number | null;
  /** What the room is called; may be empty. */
  name: string;
}

export const FIRST_WISH: Wish = {
  deck: "",
  length: 0,
  scoreMode: "brier",
  askConfidence: true,
  twoLink: false,
  timers: "1",
  minute: true,
  flow: "",
  closing: "flow",
  showNames: true,
  pairs: true,
  podium: false,
  sound: true,
  suggestedNames: false,
  teams: "",
  practice: 0,
  name: "",
  goal: null,
};

/** The goal if none is typed, in the units of the score mode: what an honest class
    scores that is right 70% of the time, and a little more. */
export function usualGoal(mode: RoomSettings["score_mode"], flow: Flow): number {
  const more = flow === "full" ? 2 : 1;
  return { brier: 79 + more, accuracy: 70 + more, certainty: 1.5, speed: 60 }[mode];
}

/** Score modes that the other choices leave open. */
export function scoreModes(wish: Wish): RoomSettings["score_mode"][] {
  if (!wish.askConfidence) return ["accuracy"];
  return wish.twoLink ? ["brier", "accuracy"] : ["brier", "accuracy", "certainty", "speed"];
}

export function teamsOf(line: string): string[] {
  const names = line.split(",").map((name) => name.trim().slice(0, 24));
  const seen = new Set<string>();
  return names.filter((name) => {
    const folded = name.toLowerCase();
    return name !== "" && !seen.has(folded) && seen.add(folded);
  });
}

export function settingsOf(wish: Wish): RoomSettings {
  const open = scoreModes(wish);
  return {
    score_mode: open.includes(wish.scoreMode) ? wish.scoreMode : open[0]!,
    confidence: wish.askConfidence,
    two_link: wish.twoLink,
    time_factor: wish.timers === "off" ? null : Number(wish.timers),
    minute: wish.minute ? null : false,
    flow: wish.flow || null,
    auto_close: closingOf(wish.closing),
    show_names: wish.showNames,
    pairs: wish.pairs,
    podium: wish.podium,
    sound: wish.sound,
    suggested_names: wish.suggestedNames,
    teams: teamsOf(wish.teams).slice(0, 12),
    class_goal: wish.goal ?? null,
    min_cell: 5,
    max_players: 1000,
    simulated: wish.practice > 0,
    time_zone: ownZone(),
  };
}

export function messageOf(wish: Wish): Omit<OpenRoom, "type" | "ref"> {
  return {
    deck: wish.deck,
    length: wish.length || null,
    seed: null,
    settings: settingsOf(wish),
    practice: wish.practice,
    name: wish.name,
  };
}
