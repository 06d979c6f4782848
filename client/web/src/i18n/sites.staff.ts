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
  rightOf: (percent: number, low: number, high: number, n: number) =>
    `${percent} % (${low} to ${high}), n = ${n}`,
  unjudged: (n: number) => `n = ${n}`,
  waiting: (name: string) => `Waiting for ${name}`,
  goOn: "Go on without",
  goOnHint: "Votes that come later are kept, told to their players, and not scored.",
  screen: "Projector page there",
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
  rightOf: (percent, low, high, n) => `${percent} % (${low} bis ${high}), n = ${n}`,
  unjudged: (n) => `n = ${n}`,
  waiting: (name) => `Warten auf ${name}`,
  goOn: "Ohne sie weiter",
  goOnHint: "Stimmen, die später kommen, bleiben gespeichert; ihre Spieler erfahren es, gewertet werden sie nicht.",
  screen: "Beamerseite dort",
  none: "An einem anderen Standort spielt noch niemand.",
};

const WORDS: Record<LanguageCode, SiteStaffWords> = { en, de };

/** The words in the page's language; reactive where it is called from markup. */
export function siteStaffWords(): SiteStaffWords {
  return WORDS[text.code];
}
