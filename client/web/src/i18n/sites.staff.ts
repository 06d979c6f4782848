// Every string about sites that only hosts see, in every language: fetched with the
// console's list of sites.
import { text, type LanguageCode } from "./index.svelte";

const few = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

const en = {
  title: "Sites",
  isHere: "this server",
  isUp: "connected",
  isCut: "line cut",
  isGone: "not heard of",
  silent: (seconds: number) => `not heard for ${seconds} s`,
  onTheWay: (n: number) => few(n, "vote on its way", "votes on their way"),
  upToDate: "all votes are in",
  people: (n: number, connected: number) =>
    connected === n ? few(n, "person", "people") : `${few(n, "person", "people")}, ${connected} connected`,
  answered: (n: number) => `${n} answered`,
  late: (n: number) => few(n, "vote came too late", "votes came too late"),
  lateHint: "Votes that were cast in time but arrived after the reveal. They are kept, and not scored.",
  right: "Right, by site",
  rightOf: (percent: number, low: number, high: number) =>
    `${percent} % (${low} to ${high})`,
  unjudged: (n: number) => `n = ${n}`,
  waiting: (name: string) => `Waiting for ${name}`,
  goOn: "Go on without",
  goOnHint: "Votes that come later are kept, told to their players, and not scored.",
  screen: "Projector page there",
  invite: "Invite a co-host",
  inviteHint: (site: string) =>
    `For a colleague who sits with the people of ${site}: may lock the site, remove people there and give them time. The link works at ${site} only.`,
  noAddress: "This site has not said its address. Put its own in front of this:",
  cohost: (site: string) => `Co-host of ${site}`,
  cohostMay: "You act for the people of your site only. The host leads the game.",
  lock: "Lock this site",
  unlock: "Unlock this site",
  isLocked: "Nobody new can join at this site.",
  giveTime: "Give them 30 s more",
  given: (seconds: number) => `Your people have ${seconds} s left.`,
  ownPeople: "People here",
  lost: "This link does not open a room here. It works at its own site only, while that site is connected.",
  none: "Nobody plays at another site yet.",
};

export type SiteStaffWords = typeof en;

const de: SiteStaffWords = {
  title: "Standorte",
  isHere: "dieser Server",
  isUp: "verbunden",
  isCut: "Leitung unterbrochen",
  isGone: "nichts zu hören",
  silent: (seconds) => `seit ${seconds} s nichts gehört`,
  onTheWay: (n) => few(n, "Stimme unterwegs", "Stimmen unterwegs"),
  upToDate: "alle Stimmen sind da",
  people: (n, connected) =>
    connected === n ? few(n, "Person", "Personen") : `${few(n, "Person", "Personen")}, ${connected} verbunden`,
  answered: (n) => `${n} haben geantwortet`,
  late: (n) => few(n, "Stimme kam zu spät", "Stimmen kamen zu spät"),
  lateHint: "Stimmen, die rechtzeitig abgegeben wurden, aber nach der Auflösung ankamen. Sie bleiben gespeichert und werden nicht gewertet.",
  right: "Richtig, nach Standort",
  rightOf: (percent, low, high) => `${percent} % (${low} bis ${high})`,
  unjudged: (n) => `n = ${n}`,
  waiting: (name) => `Warten auf ${name}`,
  goOn: "Ohne sie weiter",
  goOnHint: "Stimmen, die später kommen, bleiben gespeichert; ihre Spieler erfahren es, gewertet werden sie nicht.",
  screen: "Beamerseite dort",
  invite: "Co-Host einladen",
  inviteHint: (site) =>
    `Für eine Kollegin, die bei den Leuten von ${site} sitzt: darf den Standort sperren, dort jemanden entfernen und ihnen Zeit geben. Der Link gilt nur in ${site}.`,
  noAddress: "Dieser Standort hat seine Adresse nicht gesagt. Setze sie hiervor:",
  cohost: (site) => `Co-Host von ${site}`,
  cohostMay: "Du handelst nur für die Leute deines Standorts. Das Spiel leitet der Host.",
  lock: "Standort sperren",
  unlock: "Standort öffnen",
  isLocked: "An diesem Standort kann niemand neu dazukommen.",
  giveTime: "Ihnen 30 s mehr geben",
  given: (seconds) => `Deine Leute haben noch ${seconds} s.`,
  ownPeople: "Leute hier",
  lost: "Dieser Link öffnet hier keinen Raum. Er gilt nur an seinem Standort, solange dieser verbunden ist.",
  none: "An einem anderen Standort spielt noch niemand.",
};

const WORDS: Record<LanguageCode, SiteStaffWords> = { en, de };

/** The words in the page's language; reactive where it is called from markup. */
export function siteStaffWords(): SiteStaffWords {
  return WORDS[text.code];
}
