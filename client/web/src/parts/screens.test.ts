import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import * as phone from "../player/phases/late";
import type { Stage } from "../room/model";
import * as wall from "../stage/phases/late";

const schema = readFileSync(new URL("../../../../docs/protocol.schema.json", import.meta.url), "utf8");
const PHASES: Stage["phase"][] = JSON.parse(schema).$defs.Phase.enum;

const FOLDERS = [
  {
    where: "phone",
    screenOf: phone.screenOf,
    files: import.meta.glob<string>("../player/phases/*.svelte", { eager: true, query: "?raw", import: "default" }),
    stories: ["read", "vote", "vote_closed", "discuss", "revote", "revote_closed"],
  },
  {
    where: "wall",
    screenOf: wall.screenOf,
    files: import.meta.glob<string>("../stage/phases/*.svelte", { eager: true, query: "?raw", import: "default" }),
    stories: ["lobby", "read", "vote", "vote_closed", "revote", "revote_closed", "transfer"],
  },
];

describe.each(FOLDERS)("on the $where", ({ screenOf, files, stories }) => {
  test("every phase has a screen of its own, but for those that tell the story", () => {
    const story = screenOf("read");
    expect(PHASES.filter((phase) => screenOf(phase) === story)).toEqual(stories);
  });

  test("every screen is shown in some phase, and takes the view of its own", () => {
    const shown = new Set(PHASES.map((phase) => screenOf(phase)));
    expect(shown.size).toBe(Object.keys(files).length);
    for (const [file, source] of Object.entries(files)) {
      const name = file.slice(file.lastIndexOf("/") + 1, -".svelte".length);
      expect(source, file).toMatch(new RegExp(`: (${name}View|StageOf<"${snake(name)}">)`));
    }
  });
});

const snake = (name: string) =>
  name.replace(/[A-Z]/g, (letter, at: number) => (at ? "_" : "") + letter.toLowerCase());
