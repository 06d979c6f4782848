// Which command a key or a button gives: pure, so that it is tested without a page.
import type { HostPanel, HostView, SettingsChange } from "../../protocol";
import { pressOf } from "../../room/remote";
import type { Command } from "../../room/session.svelte";

/** Whether a command is asked about once more: it ends something that is not over, or
    shows the verdict in a test. */
export function isAskedFirst(name: string, host: HostView, advised: string): boolean {
  if (name === "reveal") return host.flow === "test";
  return name === "skip_round" || (name === "finish" && advised !== "finish");
}

/** Commands that stand apart from the flow of a round. */
const ASIDE = new Set([
  "give_time",
  "stop_clock",
  "start_clock",
  "show_again",
  "reopen_vote",
  "play_again",
  "skip_round",
  "back_to_lobby",
  "finish",
]);

const KEYS: Record<string, readonly string[]> = {
  r: ["reveal"],
  d: ["discuss"],
  t: ["give_time"],
  k: ["stop_clock", "start_clock"],
  u: ["reopen_vote"],
};

/** Commands that are at hand beside the big button, though they stand apart. */
export const AT_HAND: Record<string, string | undefined> = {
  reopen_vote: "U",
  give_time: "T",
  stop_clock: "K",
  start_clock: "K",
};

/** Commands after which the room is where it was. */
export const STAYING = new Set(["give_time", "stop_clock", "start_clock"]);

export type KeyPress =
  | { kind: "command"; name: string }
  | { kind: "detail" }
  | { kind: "panel" }
  | { kind: "help" }
  | null;

/** What a key asks for, given what can be done now. */
export function keyPress(key: string, advised: string, can: readonly string[]): KeyPress {
  const names = pressOf(key) === "next" ? [advised] : KEYS[key.toLowerCase()];
  if (names) {
    const name = names.find((one) => can.includes(one));
    return name ? { kind: "command", name } : null;
  }
  if (key.toLowerCase() === "p") return { kind: "panel" };
  if (key.toLowerCase() === "e") return { kind: "detail" };
  return key === "?" ? { kind: "help" } : null;
}

/** Only the next step of a breakdown: why not the other gap, what would flip it. */
export const DETAIL = { type: "next_step", all: false, stop: false } as const;

/** After each of these comes a detail; after all others, one of the four screens. */
const BEFORE_DETAILS = ["verdict", "why_not", "flip", "fix"];

/** Whether a detail of this breakdown can be shown next. */
export function hasDetail(host: HostView): boolean {
  const { stage } = host;
  if (stage.phase !== "reveal" || !host.commands.includes("next_step")) return false;
  return BEFORE_DETAILS.includes(stage.shown.at(-1)?.key ?? "");
}

/** What the console's controls do now: changes whenever one would do something else. */
export function meaningOf(host: HostView | null, panel: HostPanel | null): string {
  if (!host) return "";
  const { stage } = host;
  const step = "step" in stage ? String(stage.step) : "";
  return [stage.phase, stage.room.round, step, panel?.advised].join(" ");
}

/** The buttons beside the big one: the flow first, then what stands apart. */
export function others(
  host: HostView,
  panel: HostPanel | null,
): { flow: string[]; aside: string[] } {
  const rest = host.commands.filter(
    (name) => name !== panel?.advised && !(name === "skip_round" && isTold(host)),
  );
  return {
    flow: rest.filter((name) => !ASIDE.has(name)),
    aside: rest.filter((name) => ASIDE.has(name)),
  };
}

/** After the last step of a round, skipping it just means opening the next one. */
function isTold(host: HostView): boolean {
  return host.commands.includes("open_round");
}

/** Commands whose meaning does not depend on where the room is. */
const ANYWHERE = new Set<string>([
  "lock",
  "unlock",
  "kick",
  "let_back",
  "kick_recent",
  "call_back_link",
  "rename",
  "set_team",
  "unpin_reason",
  "hide_sentence",
  "change_settings",
  "get_roster",
  "get_report",
  "list_cases",
  "open_next",
  "name_room",
  "ping",
]);

/** Whether a command has to say where the room was when it was decided on. */
export function leadsOn(command: Command): boolean {
  return !ANYWHERE.has(command.type);
}

/** Below this share of answers, a close is asked about first. */
const ENOUGH = 0.8;

/** Whether a command would close a vote that many have not answered. */
export function isEarly(command: Command, panel: HostPanel | null): boolean {
  if (command.type !== "close_votes" || command.override || command.without) return false;
  return panel !== null && panel.answered < ENOUGH * panel.expected;
}

/** The message of a command that needs nothing but its name, with our defaults. */
export function commandOf(name: string): Command {
  switch (name) {
    case "open_round":
    case "play_again":
    case "show_again":
      return { type: name, round: null };
    case "close_votes":
      return { type: name, override: false, without: false };
    case "reveal":
    case "finish":
      return { type: name, without: false };
    case "next_step":
      return { type: name, all: false, stop: true };
    case "give_time":
      return { type: name, seconds: 30, site: null };
    default:
      return { type: name } as Command;
  }
}

/** A change of settings that leaves everything as it is. */
export const NO_CHANGE: SettingsChange = {
  time_factor: null,
  timers: null,
  flow: null,
  auto_close: null,
  show_names: null,
  pairs: null,
  podium: null,
  sound: null,
  suggested_names: null,
  time_zone: null,
};

/** What the timers' choice asks for: a factor, or "off". */
export function timersChange(choice: string): Partial<SettingsChange> {
  if (choice === "off") return { timers: false };
  return { timers: true, time_factor: Number(choice) };
}
