// Every string for authors of cases, in every language: fetched with their pages.
import { text, type LanguageCode } from "./index.svelte";

const en = {
  leftOut: (n: number) => (n === 1 ? "One file is left out" : `${n} files are left out`),
  leftOutHint: "The other cases are there. Mend the file and come back to this page.",
  steps: "Step by step, on phone and projector",
  title: "Preview of a case",
  momentsName: "Moments of the round",
  earlier: "Back",
  later: "Next",
  asPhone: "On a phone",
  asProjector: "On the projector",
  moments: {
    read: "Read",
    vote: "Vote",
    vote_closed: "Votes closed",
    discuss: "Discuss",
    "reveal.tallies": "Results",
    "reveal.intended": "What we meant",
    "reveal.written": "What we wrote",
    "reveal.learned": "What it learned",
    "reveal.verdict": "Verdict",
    "reveal.why_not": "Why not the other gap",
    "reveal.flip": "What would flip it",
    "reveal.fix": "Repair and owner",
    "reveal.beyond": "Beyond the repair",
    "reveal.say": "Say it",
    fix: "Which repair?",
    fix_reveal: "The repairs, judged",
  } as Record<string, string>,
};
export type PreviewWords = typeof en;

const de: PreviewWords = {
  leftOut: (n: number) =>
    n === 1 ? "Eine Datei bleibt draußen" : `${n} Dateien bleiben draußen`,
  leftOutHint: "Die anderen Fälle sind da. Die Datei verbessern und hierher zurückkehren.",
  steps: "Schritt für Schritt, auf Handy und Projektor",
  title: "Vorschau eines Falls",
  momentsName: "Augenblicke der Runde",
  earlier: "Zurück",
  later: "Weiter",
  asPhone: "Auf dem Handy",
  asProjector: "Auf dem Projektor",
  moments: {
    read: "Lesen",
    vote: "Abstimmen",
    vote_closed: "Abstimmung zu",
    discuss: "Besprechen",
    "reveal.tallies": "Ergebnis",
    "reveal.intended": "Was wir meinten",
    "reveal.written": "Was wir schrieben",
    "reveal.learned": "Was es lernte",
    "reveal.verdict": "Urteil",
    "reveal.why_not": "Warum nicht die andere Lücke",
    "reveal.flip": "Was es umkehren würde",
    "reveal.fix": "Reparatur und wer sie macht",
    "reveal.beyond": "Über die Reparatur hinaus",
    "reveal.say": "Sag es",
    fix: "Welche Reparatur?",
    fix_reveal: "Die Reparaturen, beurteilt",
  },
};

const WORDS: Record<LanguageCode, PreviewWords> = { en, de };

/** The words in the page's language; reactive where it is called from markup. */
export function previewWords(): PreviewWords {
  return WORDS[text.code];
}
