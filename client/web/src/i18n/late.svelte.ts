// Words that load after the first paint, with the components that need them.
import { words as en, type LateCatalogue } from "./en.late";
import { text, Words } from "./index.svelte";

const late = new Words(en, import.meta.glob<{ words: LateCatalogue }>(["./??.late.ts", "!./en.late.ts"]), ".late");
text.join(late);

export type SitesOfHosts = LateCatalogue["sitesOfHosts"];

// Each is reactive where it is called from markup.
/** All of them; a phase of its own has its words here under its name. */
export const lateWords = () => late.t;
export const deviceWords = () => late.t.device;
export const blockedWords = () => late.t.blocked;
export const cardWords = () => late.t.card;
export const challengeWords = () => late.t.challenge;
export const siteWords = () => late.t.sites;
export const steerWords = () => late.t.steer;
export const siteStaffWords = () => late.t.sitesOfHosts;
export const ballotWords = () => late.t.ballot;
export const lobbyWords = () => late.t.lobby;
export const talkWords = () => late.t.talk;
export const energyWords = () => late.t.energy;
export const wallWords = () => late.t.wall;
export const previewWords = () => late.t.preview;
export const deletingWords = () => late.t.deleting;
