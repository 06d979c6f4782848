// Every string about sites, in every language: fetched only where several sites play.
import { text, type LanguageCode } from "./index.svelte";

const en = {
  sideBySide: "Site by site",
  site: "Site",
  saidOuter: "said outer",
  saidOption: (name: string) => `said ${name.toLowerCase()}`,
  first: "first vote",
  second: "second vote",
  here: "here",
  percent: (value: number) => `${value} %`,
  range: (low: number, high: number) => `${low} to ${high}`,
  interval: "95 % interval",
  n: (n: number) => `n = ${n}`,
  hidden: {
    few: "too few to show",
    cover: "not shown, to keep a small site’s votes private",
  },
  noVotes: "no votes",
  noScores: "no scores",
  meanScore: "mean score of a person",
};

export type SiteWords = typeof en;

const de: SiteWords = {
  sideBySide: "Standort für Standort",
  site: "Standort",
  saidOuter: "sagten außen",
  saidOption: (name) => `sagten ${name.toLowerCase()}`,
  first: "erste Abstimmung",
  second: "zweite Abstimmung",
  here: "hier",
  percent: (value) => `${value} %`,
  range: (low, high) => `${low} bis ${high}`,
  interval: "95-%-Intervall",
  n: (n) => `n = ${n}`,
  hidden: {
    few: "zu wenige, um es zu zeigen",
    cover: "nicht gezeigt, damit die Stimmen eines kleinen Standorts privat bleiben",
  },
  noVotes: "keine Stimmen",
  noScores: "keine Punkte",
  meanScore: "mittlere Punktzahl je Person",
};

const WORDS: Record<LanguageCode, SiteWords> = { en, de };

/** The words in the page's language; reactive where it is called from markup. */
export function siteWords(): SiteWords {
  return WORDS[text.code];
}
