import { expect, test } from "vitest";
import type { HostPanel, HostView } from "../../protocol";
import { commandOf, hasDetail, isEarly, keyPress, leadsOn, others, timersChange } from "./moves";

const can = ["contrast", "discuss", "revote", "reveal", "skip_round", "finish"];

test("space gives the advised command, letters their own", () => {
  expect(keyPress(" ", "discuss", can)).toEqual({ kind: "command", name: "discuss" });
  expect(keyPress("PageDown", "discuss", can)).toEqual({ kind: "command", name: "discuss" });
  expect(keyPress("R", "discuss", can)).toEqual({ kind: "command", name: "reveal" });
  expect(keyPress("p", "discuss", can)).toEqual({ kind: "panel" });
  expect(keyPress("?", "discuss", can)).toEqual({ kind: "help" });
});

test("K stops a clock and starts it again, U takes a close back", () => {
  const command = (name: string) => ({ kind: "command", name });
  expect(keyPress("k", "none", ["stop_clock"])).toEqual(command("stop_clock"));
  expect(keyPress("K", "none", ["start_clock"])).toEqual(command("start_clock"));
  expect(keyPress("u", "reveal", ["reveal", "reopen_vote"])).toEqual(command("reopen_vote"));
  expect(keyPress("k", "none", can)).toBeNull();
});

test("what changes the plan says which plan it was decided on", () => {
  expect(leadsOn({ type: "reorder_plan", order: [2, 1] })).toBe(true);
  expect(leadsOn({ type: "add_case", case: "a-case" })).toBe(true);
  expect(leadsOn({ type: "list_cases" })).toBe(false);
  expect(leadsOn({ type: "name_room", name: "9b" })).toBe(false);
  expect(leadsOn({ type: "open_next", same: true })).toBe(false);
});

test("a key that leads nowhere now does nothing", () => {
  expect(keyPress("t", "discuss", can)).toBeNull();
  expect(keyPress(" ", "none", can)).toBeNull();
  expect(keyPress("x", "discuss", can)).toBeNull();
});

test("the other buttons keep the order of a round", () => {
  const host = { commands: can } as unknown as HostView;
  const panel = { advised: "discuss" } as HostPanel;
  expect(others(host, panel)).toEqual({
    flow: ["contrast", "revote", "reveal"],
    aside: ["skip_round", "finish"],
  });
});

test("a detail is offered between the verdict and the expert's sentence", () => {
  const at = (key: string, phase = "reveal") =>
    ({ commands: ["next_step"], stage: { phase, shown: [{ key }] } }) as unknown as HostView;
  const offered = ["tallies", "learned", "verdict", "why_not", "fix", "beyond", "say"].filter(
    (key) => hasDetail(at(key)),
  );
  expect(offered).toEqual(["verdict", "why_not", "fix"]);
  expect(hasDetail(at("verdict", "say"))).toBe(false);
  expect(keyPress("e", "next_step", ["next_step"])).toEqual({ kind: "detail" });
});

test("taking a close back stands apart in the menu, and no key gives it", () => {
  const host = { commands: ["reopen_vote", "reveal"] } as unknown as HostView;
  expect(others(host, { advised: "reveal" } as HostPanel)).toEqual({
    flow: [],
    aside: ["reopen_vote"],
  });
});

test("commands carry the fields that the wire asks for", () => {
  expect(commandOf("give_time")).toEqual({ type: "give_time", seconds: 30, site: null });
  expect(commandOf("next_step")).toEqual({ type: "next_step", all: false, stop: true });
  expect(commandOf("reveal")).toEqual({ type: "reveal", without: false });
  expect(commandOf("discuss")).toEqual({ type: "discuss" });
});

test("what leads on says where the room was; what does not, says nothing", () => {
  expect(leadsOn(commandOf("next_step"))).toBe(true);
  expect(leadsOn({ type: "open_vote" })).toBe(true);
  expect(leadsOn({ type: "lock", site: null })).toBe(false);
});

test("a close is asked about while fewer than four of five have answered", () => {
  const close = commandOf("close_votes");
  const panel = (answered: number, expected: number) => ({ answered, expected }) as HostPanel;
  expect(isEarly(close, panel(0, 6))).toBe(true);
  expect(isEarly(close, panel(7, 10))).toBe(true);
  expect(isEarly(close, panel(8, 10))).toBe(false);
  expect(isEarly(close, panel(0, 0))).toBe(false);
  expect(isEarly({ type: "close_votes", override: true, without: false }, panel(0, 6))).toBe(false);
  expect(isEarly({ type: "reveal", without: false }, panel(0, 6))).toBe(false);
});

test("timers are switched off, or on with their factor", () => {
  expect(timersChange("off")).toEqual({ timers: false });
  expect(timersChange("1.5")).toEqual({ timers: true, time_factor: 1.5 });
});
