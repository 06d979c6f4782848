import { expect, test } from "vitest";
import type { SiteLink } from "../../protocol";
import { siteStaffWords } from "../../i18n/late.svelte";
import { goOn, lineOf, waitingFor } from "./lines";

const w = siteStaffWords();
const link = (more: Partial<SiteLink>): SiteLink => ({
  name: "lisbon",
  is_here: false,
  is_up: true,
  waiting: 0,
  is_behind: false,
  silent_s: null,
  url: null,
  ...more,
});

test("a site's line says how it is, and what it owes", () => {
  expect(lineOf(w, link({}))).toBe("connected, all votes are in");
  expect(lineOf(w, link({ is_here: true }))).toBe("this server");
  expect(lineOf(w, link({ is_behind: true, waiting: 12 }))).toBe(
    "connected, 12 votes on their way",
  );
  expect(lineOf(w, link({ is_up: false, silent_s: 14 }))).toBe(
    "connection lost, no contact for 14 s",
  );
  expect(lineOf(w, null)).toBe("no contact");
});

test("what waits says for whom", () => {
  const sites = [link({ waiting: 1 }), link({ name: "oslo", is_up: false })];
  expect(waitingFor(w, { command: "reveal", sites })).toBe(
    "Waiting for lisbon (1 vote on its way), oslo (connection lost)",
  );
});

test("going on repeats what waits, without the sites", () => {
  expect(goOn({ command: "reveal", sites: [] })).toEqual({ type: "reveal", without: true });
  expect(goOn({ command: "close_votes", sites: [] })).toMatchObject({ without: true });
});
