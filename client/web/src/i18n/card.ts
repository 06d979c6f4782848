// Every string of the learner's card and of "say it", in every language: fetched after
// the first paint, with the phases that need them.
import { text, type LanguageCode } from "./index.svelte";

const few = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

const en = {
  cardFor: (name: string) => `${name}’s card`,
  cardIntro: (right: number, of: number) =>
    `You named the broken gap in ${right} of ${few(of, "case", "cases")} at first vote.`,
  cardNone: "No scored votes in this game.",
  sureAndWrong: "Where you were sure and wrong",
  noneSureWrong: "You were never sure and wrong.",
  lean: "Which way you lean",
  leanOuter: "When you miss, you mostly call an inner failure outer: check whether the objective was right before you blame it.",
  leanInner: "When you miss, you mostly call an outer failure inner: check whether the system simply did what was asked.",
  leanNone: "Your misses go both ways: no lean to speak of.",
  leanFew: "Too few misses to see a lean.",
  calibration: "When you said…",
  calibrationLine: (percent: number, right: number, n: number) =>
    `${percent} %: you were right ${right} of ${n}`,
  saveCard: "Save as a file",
  print: "Print",
  biasOver: (said: string, right: string) =>
    `On the whole you said ${said} and were right in ${right}: surer than right.`,
  biasUnder: (said: string, right: string) =>
    `On the whole you said ${said} and were right in ${right}: you may dare to say more.`,
  biasNone: (said: string, right: string) =>
    `On the whole you said ${said} and were right in ${right}: about as sure as right.`,

  sayTitle: "Say it",
  sayPrompt: "Say it as an expert would: the objective, what was learned, where it broke, whose fix.",
  sayPlaceholder: "One sentence of your own",
  sayStored: "It is kept with your votes in the host’s journal, and forgotten with your name.",
  saySend: "Send",
  saySent: "Recorded. You can still change it.",
  sayYours: "You said",
  sayExpert: "An expert would say",
  sayOnCard: "Say it yourself first",

  takeTitle: "Six to come back to",
  takeWhen: (date: string) => `New cases, for ${date}: decide first, then open the answer.`,
  takeAnswer: "The answer",
  takeCalendar: "Put the date in a calendar",
  takeEvent: "Two Gaps: six cases to come back to",
};

export type CardWords = typeof en;

const de: CardWords = {
  cardFor: (name) => `Karte von ${name}`,
  cardIntro: (right, of) =>
    `Du hast beim ersten Mal in ${right} von ${few(of, "Fall", "Fällen")} die gebrochene Lücke genannt.`,
  cardNone: "Keine gewerteten Antworten in diesem Spiel.",
  sureAndWrong: "Wo du sicher warst und falsch lagst",
  noneSureWrong: "Du lagst nie sicher falsch.",
  lean: "Wohin du neigst",
  leanOuter: "Wenn du danebenliegst, nennst du meist ein inneres Versagen ein äußeres: Prüfe, ob das Ziel richtig geschrieben war, bevor du es beschuldigst.",
  leanInner: "Wenn du danebenliegst, nennst du meist ein äußeres Versagen ein inneres: Prüfe, ob das System einfach tat, was verlangt war.",
  leanNone: "Deine Fehler gehen in beide Richtungen: keine Neigung zu sehen.",
  leanFew: "Zu wenige Fehler, um eine Neigung zu sehen.",
  calibration: "Wenn du sagtest…",
  calibrationLine: (percent, right, n) => `${percent} %: richtig in ${right} von ${n}`,
  saveCard: "Als Datei sichern",
  print: "Drucken",
  biasOver: (said, right) =>
    `Im Ganzen sagtest du ${said} und lagst in ${right} richtig: sicherer als richtig.`,
  biasUnder: (said, right) =>
    `Im Ganzen sagtest du ${said} und lagst in ${right} richtig: Du darfst dir mehr zutrauen.`,
  biasNone: (said, right) =>
    `Im Ganzen sagtest du ${said} und lagst in ${right} richtig: etwa so sicher wie richtig.`,

  sayTitle: "Sag es",
  sayPrompt: "Sag es wie jemand vom Fach: das Ziel, was gelernt wurde, wo es brach, wer es richtet.",
  sayPlaceholder: "Ein eigener Satz",
  sayStored: "Er liegt bei deinen Stimmen im Protokoll der Leitung und wird mit deinem Namen vergessen.",
  saySend: "Senden",
  saySent: "Gespeichert. Du kannst ihn noch ändern.",
  sayYours: "Du sagtest",
  sayExpert: "Jemand vom Fach würde sagen",
  sayOnCard: "Sag es erst selbst",

  takeTitle: "Sechs zum Wiederkommen",
  takeWhen: (date) => `Neue Fälle, für ${date}: erst entscheiden, dann die Antwort öffnen.`,
  takeAnswer: "Die Antwort",
  takeCalendar: "Den Tag in einen Kalender setzen",
  takeEvent: "Two Gaps: sechs Fälle zum Wiederkommen",
};

const WORDS: Record<LanguageCode, CardWords> = { en, de };

/** The words in the page's language; reactive where it is called from markup. */
export function cardWords(): CardWords {
  return WORDS[text.code];
}
