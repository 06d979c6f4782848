// Deutsche Texte der Berichtsseite. Begriffe: siehe docs/glossary.md.
import type { ReportCatalogue } from "./en.report";

type Said = Record<string, string | number>;

const people = (n: string | number | undefined) => `${n} ${n === 1 ? "Person" : "Personen"}`;
const answered = (right: string | number | undefined, n: string | number | undefined) =>
  `${right} von ${n} ${n === 1 ? "Antwort" : "Antworten"} ${right === 1 ? "war" : "waren"}`;
const byPoints = (n: string | number | undefined) => `${n} ${n === 1 ? "Prozentpunkt" : "Prozentpunkte"}`;
const rounds = (n: string | number | undefined) => `${n} ${n === 1 ? "Runde" : "Runden"}`;
const side = (lean: string | number | undefined) => (lean === "outer" ? "außen" : "innen");

/** What a class can do, by the key of what was told of it. */
const DOES: Said = {
  swapping: "verwechselt die zwei Lücken",
  not_apart: "unterscheidet die zwei Lücken noch nicht",
  apart_well: "unterscheidet die zwei Lücken gut",
  beginning: "fängt an, die zwei Lücken zu unterscheiden",
};
const does = (told: string | number | undefined) => `Die Klasse ${DOES[told ?? ""]}`;

/** Of a single link or of the two gaps, and where the answers lean. */
const told = (aboutLink: string, aboutGaps: string) => ({ link, lean }: Said) => {
  if (!link) return aboutGaps + (lean ? `, mit Neigung nach ${side(lean)}` : "");
  if (!lean) return aboutLink;
  return `${aboutLink}, zu ${lean === "outer" ? "oft" : "selten"} genannt`;
};
const twins = (end: string) => ({ before, after }: Said) =>
  `Bei den Transferfällen lagen ${after} % richtig, in der ersten Abstimmung waren es bei denselben Personen ${before} %: ${end}`;

export const words: ReportCatalogue = {
  sentences: {
    nothing_answered: () => "Noch wurde kein Fall beantwortet und aufgelöst.",
    apart_unknown: ({ right, answers, why }) =>
      `${answered(right, answers)} richtig; wie gut die Klasse die zwei Lücken unterscheidet, lässt sich nicht sagen (${why}).`,
    but_one_split: ({ told, title, right, n }) =>
      `${does(told)}, aber ein Fall hat sie gespalten: „${title}“ (${right} von ${n} richtig).`,
    but_one_misled: ({ told, title, right, n }) =>
      `${does(told)}, aber auf einen Fall ist sie hereingefallen: „${title}“ (${right} von ${n} richtig).`,
    class_told: ({ told, lean, called, share, answers }) => {
      const more = lean
        ? ` und neigt nach ${side(lean)}: In ${called} % der Antworten nannte sie „${side(lean)}“`
        : told === "not_apart" ? " und neigt nach keiner Seite: Die Antworten sehen nach Raten aus" : "";
      return `${does(told)}${more} (${share} % von ${answers} ${answers === 1 ? "Antwort" : "Antworten"} richtig).`;
    },
    right_both_links: ({ right, answers, outer, inner }) => {
      const links = [outer && `äußere Lücke: ${outer}`, inner && `innere Lücke: ${inner}`];
      return [`${answered(right, answers)} bei beiden Lücken richtig`, ...links.filter(Boolean)].join("; ") + ".";
    },
    swapping: told("genau verkehrt herum beurteilt", "die zwei Lücken werden verwechselt"),
    not_apart: told("noch nicht erkannt, wann sie klafft", "die zwei Lücken werden noch nicht unterschieden"),
    apart_well: told("gut erkannt, wann sie klafft", "die zwei Lücken werden gut unterschieden"),
    beginning: told("allmählich erkannt, wann sie klafft", "die zwei Lücken werden allmählich unterschieden"),

    surer_than_right: ({ points }) =>
      `Die Klasse war um ${byPoints(points)} sicherer, als sie richtiglag.`,
    righter_than_sure: ({ points }) =>
      `Die Klasse lag um ${byPoints(points)} öfter richtig, als sie sich zutraute.`,
    about_as_sure: () => "Insgesamt hat sich die Klasse gut eingeschätzt.",
    missed_with_conviction: ({ title, errors, n }) =>
      `Bei „${title}“ lag die Klasse mit Überzeugung daneben: ${errors} von ${n} waren zu mindestens 80 % sicher und lagen falsch. Solche Fehler lassen sich am besten beheben, wenn man sie anspricht.`,
    twins_better: twins("Die Begründung ließ sich übertragen, oder die Transferfälle waren leichter."),
    twins_worse: twins("Die Transferfälle waren schwerer, oder die Begründung ließ sich nicht übertragen."),
    twins_same: twins("kein klarer Unterschied."),
    pull_of_the_crowd: ({ points }) =>
      `In der zweiten Abstimmung hat die Minderheit öfter gewechselt als die Mehrheit (um ${byPoints(points)}): Ein Teil der Veränderung ist der Sog der Mehrheit.`,
    check_keys: ({ titles }) => `Prüfe die Lösung von: ${titles}.`,

    was_rehearsal: () => "Das war eine Probe: Simulierte Mitspieler zählen als Personen.",
    practice_left_out: ({ n }) =>
      n === 1 ? "Ein simulierter Mitspieler zählt nicht mit." : `${n} simulierte Mitspieler zählen nicht mit.`,
    few_people: ({ n }) =>
      `${n === 1 ? "Nur eine Person hat" : `Nur ${n} Personen haben`} geantwortet: Vieles wird nicht gezeigt, das Gezeigte ist unsicher, und auf andere Klassen lässt sich nichts davon übertragen.`,
    few_cases: ({ outer, inner }) =>
      `Wenige Fälle (${outer} außen, ${inner} innen): d′ und c gelten für diese Fälle, nicht für Fälle im Allgemeinen.`,
    unscored_cases: ({ n }) =>
      `${n === 1 ? "Ein Fall geht" : `${n} Fälle gehen`} in keinen Durchschnitt und keine Statistik ein: Die Fachleute sind sich nicht einig, oder es gibt nicht nur eine richtige Antwort.`,
    rounds_played: ({ revealed, planned }) =>
      `${revealed} von ${rounds(planned)} bis zur Auflösung gespielt.`,
    speed_counted: () => "Die Punkte hingen vom Tempo ab; das macht sie weniger aussagekräftig.",
    switching: () =>
      "Der Vergleich der ersten mit der zweiten Abstimmung misst Wechsel, nicht Lernen; neben den Gewinnen stehen deshalb die Verluste.",
    two_cases: () =>
      "Erste Abstimmung und Transfer sind zwei verschiedene Fälle: Vergleiche auch, wie der Transferfall anderswo als erster Fall ausging.",
    about_logits: () =>
      "Schwierigkeiten sind in Logits angegeben: Über 0 heißt schwer. Sie setzen voraus, dass die Personen in allen Räumen einander ähnlich sind; der Wert ist zur 0 hin gezogen, sein Intervall nicht.",
    matched_by_name: () =>
      "Personen werden nur an ihrem gewählten Namen wiedererkannt; Namen, die mehrere hatten, sind ausgelassen.",
    no_common_cases: () =>
      "Kein Fall kam in beiden Räumen vor: In der Veränderung stecken Lernen und Schwierigkeit zugleich.",
    common_cases: ({ n }) =>
      `${n === 1 ? "Ein Fall kam" : `${n} Fälle kamen`} in beiden Räumen vor: Ein Teil der Veränderung kann Erinnerung sein.`,

    not_scored: () => "nicht gewertet",
    no_answers: () => "keine Antworten",
    fewer_answers: ({ least }) => `weniger als ${least} Antworten`,
    fewer_people: ({ least }) => `weniger als ${least} Personen`,
    needs_people_answers: (said) => `braucht ${people(said.people)} und ${said.answers} Antworten`,
    needs_people_has: (said) => `braucht ${people(said.people)}, hat ${said.found}`,
    needs_answers: ({ answers }) => `braucht ${answers} Antworten`,
    needs_answers_each: ({ answers }) => `braucht ${answers} Antworten zu Fällen jeder Art`,
    needs_either_side: (said) => `braucht ${said.answers} Antworten, ${said.people} auf jeder Seite`,
    needs_people_cases: (said) => `braucht ${people(said.people)} und mindestens ${said.cases} gewertete Fälle`,
    rests_on_few: () => "stützt sich auf zu wenige Personen",
    all_alike: () => "alle haben gleich gut abgeschnitten",
    nothing_varies: () => "hier gibt es keine Unterschiede",
    few_to_show: () => "zu wenige Personen, um es zu zeigen",
    covers_site: () => "verborgen, damit sich ein kleinerer Standort nicht ausrechnen lässt",
  },
  noKey: "Diese Seite braucht ihren vollständigen Link mit dem Schlüssel. Öffne sie über die Steuerung.",
  lost: "Dieser Link öffnet hier keinen Bericht. Prüfe, ob er vollständig ist und ob es den Raum auf dem Server noch gibt.",
  making: "Der Bericht wird erstellt …",
  failed: (why) => `Der Bericht konnte nicht erstellt werden: ${why}`,
  asOf: (revealed, planned) => `${revealed} von ${rounds(planned)}; mit jeder Auflösung kommt mehr dazu`,
  wholeGame: (revealed, planned) => `${revealed} von ${rounds(planned)}`,
  people: (n) => `${n} ${n === 1 ? "Person" : "Personen"}`,
  deckOf: (deck, version) => `Sammlung ${deck}, Version ${version}`,
  twoLinks: "zwei Lücken",
  rehearsal: "Probe",
  othersHint: "zum Weitergeben: Zahlen zu wenigen Personen sind verborgen",
  now: "Im Moment, nur für dich",

  keep: "Speichern",
  keepHint: "Je eine Datei. Die Pseudonyme sind jedes Mal neu.",
  forms: {
    html: "Bericht (HTML)",
    csv: "Antworten (CSV)",
    xlsx: "Arbeitsmappe (XLSX)",
    json: "Alles (JSON)",
  },
  forOthers: "Zum Weitergeben: kleine Zahlen verbergen, Antworten weglassen",
  withReasons: "Mit den getippten Begründungen",
  saving: "Die Datei wird erstellt …",
  saved: (name) => `${name} wurde gespeichert.`,
  print: "Drucken",

  care: "Mit Vorsicht zu lesen",
  rightAll: "Richtig, alle ersten Stimmen",
  meanScore: "Punkte im Schnitt",
  goal: "Ziel",
  interval: "95-%-Intervall",
  answers: "Antworten",
  n: "n",
  none: "–",
  few: "wenige",
  of: (right, n) => `${right} von ${n}`,
  range: (low, high) => `${low} bis ${high}`,
  points: (value) => `${value} Punkte`,

  apart: "Die zwei Lücken unterscheiden",
  about: {
    "outer against inner": "",
    "the outer link": "Die äußere Lücke",
    "the inner link": "Die innere Lücke",
  },
  dPrime: "d′: wie gut die Lücken unterschieden werden",
  criterion: "c: welche Lücke zu oft genannt wird",
  dTicks: ["gar nicht", "gut"],
  noLean: "keine Neigung",
  dRow: "d′, unterscheiden",
  cRow: "c, Neigung (unter 0: außen)",
  hits: "außen, richtig erkannt",
  falseAlarms: "innen, aber außen genannt",
  linkHits: "klafft und erkannt",
  linkFalseAlarms: "geschlossen, aber genannt",
  ofThese: "Für diese Fälle und für Lernende wie diese. 95-%-Intervalle durch wiederholtes Ziehen von Lernenden (Bootstrap).",
  confusion: "Was wofür gehalten wurde",
  theCaseWas: "der Fall war",
  called: (answer) => `genannt: ${answer}`,

  byCase: "Fall für Fall",
  case: "Fall",
  first: "erste Stimme",
  rightFirst: "zuerst richtig",
  zoneUnknown: "die Zeitzone des Raums ist unbekannt",
  rightAfter: "danach richtig",
  meanConfidence: "mittlere Sicherheit",
  sureWrong: "sicher und falsch",
  unscored: "nicht gewertet",
  caseLegend: "Balken: 95-%-Intervall der ersten Stimme. Der Strich zeigt, was Raten ergibt.",
  twoLegend: "Ring: erste Stimme; Punkt: zweite Stimme, mit den übernommenen.",
  chartOf: (title) => `${title}: dasselbe wie in der Zeile`,
  moved: "Wer in der zweiten Abstimmung gewechselt hat",
  stayedRight: "blieb richtig",
  turnedRight: "wurde richtig",
  turnedWrong: "wurde falsch",
  stayedWrong: "blieb falsch",
  carried: "übernommen",
  gain: "Zugewinn g",
  rightTurn: "von falsch zu richtig",
  loss: "von richtig zu falsch",
  midP: "mid-p",

  next: "Für die nächste Stunde",
  takeUp: "Diese Fälle lohnen einen zweiten Blick, die schwersten zuerst.",
  rightInTheEnd: (right, n, share) => `Am Ende lagen ${right} von ${n} richtig (${share} %).`,
  typicalReason: (n) =>
    n === 1
      ? "Die einzige Begründung für eine falsche Antwort:"
      : `Die typischste von ${n} Begründungen für eine falsche Antwort:`,
  sureNames: "Sicher, aber falsch (nur für dich):",
  nothingToTakeUp: "Am Ende war jede Antwort auf jeden Fall richtig.",
  makeFive: "Fünf Fälle für Freitag anlegen",
  makeHint: "Fünf neue Fälle, die den schwersten ähneln, in einem eigenen Raum.",
  nextOpened: "Der Raum ist offen.",
  openNext: (room) => `Zum Raum ${room}`,
  notOpened: (why) => `Es wurde kein Raum geöffnet: ${why}`,
  statistics: "Statistik",
  goBack: "Worauf du zurückkommen solltest",
  hardest: "Am schwersten",
  hardLine: (right, n) => `${right} von ${n} richtig`,
  missed: "Mit Überzeugung danebengelegen",
  missedLine: (errors, n) => `${errors} von ${n} falsch, obwohl zu mindestens 80 % sicher`,

  sureness: "Wie sicher und wie richtig",
  onTheLine: "Auf der gestrichelten Linie stimmt die angegebene Sicherheit. Größere Punkte: mehr Antworten.",
  confidence: "Sicherheit",
  said: "angegeben",
  wereRight: "waren richtig",
  bias: "Sicherheit − Anteil richtig",
  brier: "Brier-Wert",
  murphy: "= REL − RES + UNC",
  skill: "besser als Raten",
  ece: "erwarteter Kalibrierungsfehler",
  leftOut: "Antworten ohne Angabe der Sicherheit sind nicht enthalten.",

  after: "Nach der Auflösung: Reparatur und Transfer",
  rightFix: "richtige Reparatur",
  twin: "Transferfall",
  rightTwin: "dort richtig",
  elsewhere: "anderswo als erster Fall",
  samePeople: (before, after, change, pairs) =>
    `Dieselben Personen, erste Stimme und Transferfall: erst ${before}, dann ${after} richtig; ${change}, ${pairs} Paare.`,
  firstToTwin: "Von der ersten Stimme zum Transferfall:",
  normalized: "normierter Zugewinn",

  teams: "Teams",
  team: "Team",
  sites: "Die Standorte im Vergleich",
  site: "Standort",
  peopleHead: "Personen",

  crowd: "Der Sog der Mehrheit",
  roundsIn: "Runden, in denen",
  minorityMore: "Minderheit wechselte öfter um",
  all: "alle",
  majorityRight: "die Mehrheit recht hatte",
  majorityWrong: "die Mehrheit unrecht hatte",
  crowdHint: "P(Wechsel | Minderheit) − P(Wechsel | Mehrheit). Das Ergebnis blieb bis zum Ende der zweiten Abstimmung verborgen: Was wirkt, ist also das Gespräch.",

  together: "Mehrere Räume zusammen",
  sideBySide: "Nebeneinander",
  room: "Raum",
  rooms: "Räume",
  opened: "eröffnet",
  beforeAfter: "Vorher und nachher",
  inBoth: "Personen in beiden",
  onlyBefore: "nur vorher",
  onlyAfter: "nur nachher",
  before: "vorher richtig",
  afterwards: "nachher richtig",
  change: "Veränderung",
  hardestFirst: "Die Fälle, die schwersten zuerst",
  logits: "Schwierigkeit in Logits",

  questions: "Die Fälle als Fragen",
  difficulty: "Schwierigkeit: Anteil richtig",
  aboveCoin: "besser als Raten",
  discrimination: "Trennschärfe r",
  version: (n) => `Version ${n}`,
  evidence: {
    confirmed: "am Original geprüft",
    secondary: "nach anderen berichtet",
    disputed: "Fakten umstritten",
  },
  challenged: "Einsprüche gegen Urteile",
  challengedBy: (n) => (n === 1 ? "1 Person widerspricht" : `${n} Personen widersprechen`),
  challenger: { host: "Spielleitung", cohost: "Co-Leitung" },
  erasedWords: "(gelöscht)",
  byRule: "Welche Regel wurde verfehlt?",
  byRuleNote: "Erste Antworten auf die gewerteten Fälle, nach der Regel, die ihr Urteil entscheidet; die am häufigsten verfehlte zuerst.",
  rule: "Regel",
  rules: {
    system: "0: Welches System, und worauf wurde es optimiert?",
    others: "1: War es ein Programmfehler, ein Angriff, Missbrauch oder ein Unfall?",
    skill: "2: Fehlte das Können, ohne dass ein anderes Ziel da war?",
    steps: "3: Sind es mehrere Schritte?",
    score: "4: Bringt das Verhalten viele Punkte?",
    paid: "5: Hat das Training es je belohnt?",
    yardstick: "6: Widerspricht ein verborgener Maßstab?",
    cues: "7: Trennt sich ein Merkmal von seiner Bedeutung?",
    repair: "8: Welche Reparatur half?",
  },
  check: "Lösung prüfen",
  kr20: "Innere Konsistenz aller Fälle, KR-20:",

  howToRead: "So liest du diese Zahlen",
  glossary: [
    ["richtig", "Anteil richtiger erster Stimmen, die jede Person allein abgegeben hat, mit Wilsons 95-%-Intervall; bei mehreren Antworten pro Person mit der effektiven Stichprobengröße."],
    ["d′, c", "Signalentdeckung mit „außen“ als Signal, log-linear. d′ = 0: nicht unterschieden; c unter 0: „außen“ wird zu oft genannt."],
    ["Zugewinn g", "(nachher − vorher) / (1 − vorher), bei allen, die zweimal abgestimmt haben."],
    ["mid-p", "McNemars mid-p für den Wechsel; klein heißt: mehr als Zufall."],
    ["übernommen", "Nur in der ersten Abstimmung abgegeben; zählt in der zweiten noch einmal mit."],
    ["Trennschärfe", "Punktbiseriale Korrelation mit dem Anteil richtiger Antworten in den anderen Fällen; „Lösung prüfen“, wenn ihr Intervall unter 0 liegt."],
    ["besser als Raten", "Wie wahrscheinlich es ist, dass mehr als die Hälfte solcher Personen richtigliegt (Jeffreys’ A-posteriori-Verteilung)."],
    ["KR-20", "Wie sehr alle Fälle dasselbe messen; ab 20 Personen und 8 Fällen."],
    ["Brier-Wert", "Mittlerer quadratischer Abstand zwischen Sicherheit und Ergebnis: 0 ist perfekt, 0,25 entspricht Raten. REL: Abstand von der gestrichelten Linie; RES: wie gut die Sicherheit richtig von falsch trennt; UNC: wie gemischt die Ergebnisse waren."],
  ],
};
