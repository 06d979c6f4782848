// Deutsche Texte, die nach dem ersten Bild geladen werden. Begriffe: siehe docs/glossary.md.
import type { LateCatalogue } from "./en.late";

const few = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

export const words: LateCatalogue = {
  /** A device that several people share. */
  device: {
    notYou: (name) => `Du bist nicht ${name}? Mit anderem Namen mitspielen`,
  },
  /** A page that gets no connection: the cause, and what helps. */
  blocked: {
    title: "Diese Seite bekommt keine Verbindung zum Spiel",
    causes: {
      server: () => "Der Server antwortet nicht.",
      origin: (host, here) =>
        `Ein Tunnel oder Proxy ändert unterwegs den Namen des Servers: Diese Seite liegt unter ${here}, beim Server kommt aber ${host} an.`,
      upgrade: () =>
        "Ein Proxy zwischen diesem Gerät und dem Server macht aus Live-Verbindungen (WebSocket) gewöhnliche Anfragen: Er lässt den Upgrade-Header weg.",
      busy: () => "Der Server ist voll oder wird gerade beendet.",
      filter: () =>
        "Etwas zwischen diesem Gerät und dem Server blockiert Live-Verbindungen (WebSocket): ein Filter der Schule oder Firma, ein Proxy, ein VPN oder ein Virenscanner.",
    },
    remedies: {
      server: () =>
        "Läuft er noch? Ist dieses Gerät im selben Netz? Schalte VPN und mobile Daten aus.",
      origin: (at) => `Der Server muss mit --public-url ${at} gestartet werden.`,
      upgrade: () =>
        "Der Proxy muss Upgrade und Connection weitergeben. Im Ordner deploy/ stehen Beispiele für nginx und Caddy.",
      busy: () => "Wer schon im Spiel ist, spielt weiter. Warte einen Moment.",
      filter: (at) =>
        `Schalte das VPN aus oder nimm ein anderes Netz, zum Beispiel einen Hotspot. Wer für den Filter zuständig ist, kann WebSocket-Verbindungen zu ${at} erlauben.`,
    },
    goesOn: "Die Seite versucht es weiter.",
  },
  /** The card of a learner, and "say it". */
  card: {
    cardFor: (name) => `Karte von ${name}`,
    cardIntro: (right, of) =>
      `Du hast die Lücke in ${right} von ${few(of, "Fall", "Fällen")} gleich beim ersten Mal gefunden.`,
    cardNone: "In diesem Spiel gibt es von dir keine gewertete Antwort.",
    sureAndWrong: "Wo du sicher warst und falschgelegen hast",
    noneSureWrong: "Wo du sicher warst, hast du nie falschgelegen.",
    lean: "Wohin du neigst",
    leanOuter: "Wenn du danebenliegst, nennst du die Lücke meist außen, obwohl sie innen klafft. Prüfe erst, ob das aufgeschriebene Ziel nicht doch richtig war.",
    leanInner: "Wenn du danebenliegst, nennst du die Lücke meist innen, obwohl sie außen klafft. Prüfe erst, ob das System nicht einfach getan hat, was verlangt war.",
    leanNone: "Du irrst dich mal so, mal so: keine Neigung zu erkennen.",
    leanFew: "Zu wenige Fehler, um eine Neigung zu erkennen.",
    onTwin: "Beim Zwillingsfall",
    theTwin: "Der Zwillingsfall:",
    evidence: {
      confirmed: "Die Fakten: am Wortlaut des Originals geprüft.",
      secondary: "Die Fakten: so, wie andere sie berichten.",
      disputed: "Die Fakten: Die Quellen widersprechen sich.",
    },
    calibration: "Wenn du gesagt hast …",
    calibrationLine: (percent, right, n) => `${percent} %: ${right} von ${n} richtig`,
    saveCard: "Als Datei speichern",
    print: "Drucken",
    biasOver: (said, right) =>
      `Im Schnitt warst du zu ${said} sicher und hast in ${right} der Fälle richtiggelegen: Du warst sicherer, als du sein solltest.`,
    biasUnder: (said, right) =>
      `Im Schnitt warst du zu ${said} sicher und hast in ${right} der Fälle richtiggelegen: Du darfst dir mehr zutrauen.`,
    biasNone: (said, right) =>
      `Im Schnitt warst du zu ${said} sicher und hast in ${right} der Fälle richtiggelegen: Du schätzt dich gut ein.`,

    sayTitle: "Sag es selbst",
    sayPrompt: "Sag es, wie Fachleute es sagen würden: das Ziel, was gelernt wurde, wo die Lücke klafft und wer sie schließt.",
    sayPlaceholder: "Ein eigener Satz",
    sayStored: "Dein Satz wird mit deinen Antworten gespeichert und zusammen mit deinem Namen gelöscht.",
    saySend: "Senden",
    saySent: "Gespeichert. Du kannst ihn noch ändern.",
    sayYours: "Du hast gesagt",
    sayExpert: "Fachleute würden sagen",
    sayOnCard: "Sag es erst selbst",

    takeTitle: "Sechs Fälle zum Auffrischen",
    takeWhen: (date) => `Neue Fälle für den ${date}: erst entscheiden, dann die Lösung aufklappen.`,
    takeAnswer: "Die Lösung",
    takeCalendar: "Termin in den Kalender eintragen",
    takeEvent: "Two Gaps: sechs Fälle zum Auffrischen",
  },
  /** The open vote on a phone. */
  ballot: {
    outerAsk: "Ist die äußere Verbindung gerissen?",
    innerAsk: "Ist die innere Verbindung gerissen?",
    outerAskIs: "Gemeint war etwas anderes",
    innerAskIs: "Aufgeschrieben war etwas anderes",
    whichGaps: "Wo klafft eine Lücke?",
    howSure: "Wie sicher bist du?",
    sure: {
      50: "geraten",
      60: "ein wenig",
      70: "ziemlich",
      75: "ziemlich",
      80: "recht",
      90: "sehr",
      100: "völlig",
    },
    honest: "Gib an, was du wirklich glaubst. Auf Dauer bringt Ehrlichkeit die meisten Punkte.",
    stakes: (right, wrong) => `${right} Punkte, wenn du richtigliegst, sonst ${wrong}.`,
    eitherWay: (points) => `In jedem Fall ${points} Punkte.`,
    linkOf: (n) => `Frage ${n} von 2`,
    itBroke: (sign) => `Gerissen heißt: ${sign}.`,
    change: "Ändern",
    readAgain: "Noch einmal lesen",
    firstVote: "Deine erste Antwort",
    stickWithMine: "Ich bleibe dabei",
    whichFact: "Welche Tatsache entscheidet?",
  },
  energy: {
    groupGained: "In deiner Gruppe lagen beim zweiten Mal mehr richtig.",
    classAt: (mean, goal) => `Eure Klasse steht bei ${mean}. Das Ziel ist ${goal}.`,
    vibrate: "Vibrieren, wenn eine Abstimmung beginnt",
  },
  /** What only the wall says. */
  wall: {
    answers: "Antworten",
    storiesOnPhones: "Beide Geschichten stehen auf euren Handys.",
    hadIt: (n, of) => `${n} von ${of} lagen richtig.`,
    dotIs: (k) => `Ein Punkt steht für ${k} Personen.`,
    whoMoved: (moves) => `${moves}.`,
    sameTally: "Die zweite Abstimmung ging genauso aus wie die erste.",
    welcome: "Wo lag die KI daneben?",
    learned: "Was ihr herausgefunden habt",
    meter: (mean, goal) => `Klassenschnitt ${mean} von 100 Punkten; Ziel ${goal}`,
    coinFlip: "geraten",
    goal: "Ziel",
    setOut: (mean, goal) => `Klassenschnitt ${mean}. Euer Ziel war ${goal}.`,
    gotThere: "Geschafft!",
    bestCases: "Richtig: erste und zweite Abstimmung",
    fullAndSound: "Vollbild und Ton",
    full: "Vollbild",
    silent: (button) => `Vorn ist noch kein Ton zu hören: Drück dort auf „${button}“.`,
  },
  /** Sites as every page shows them. */
  sites: {
    sideBySide: "Die Standorte im Vergleich",
    site: "Standort",
    saidOuter: "außen",
    saidOption: (name) => name.toLowerCase(),
    first: "erste Abstimmung",
    second: "zweite Abstimmung",
    here: "hier",
    percent: (value) => `${value} %`,
    range: (low, high) => `${low} bis ${high}`,
    interval: "95-%-Intervall",
    n: (n) => `n = ${n}`,
    hidden: {
      few: "zu wenige, um es zu zeigen",
      cover: "nicht gezeigt, damit die Stimmen eines kleinen Standorts geheim bleiben",
    },
    noVotes: "keine Stimmen",
    noScores: "keine Punkte",
    meanScore: "Punkte pro Person im Schnitt",
  },
  /** Sites as only hosts see them. */
  sitesOfHosts: {
    title: "Standorte",
    isHere: "dieser Server",
    isUp: "verbunden",
    isCut: "Verbindung unterbrochen",
    isGone: "meldet sich nicht",
    silent: (seconds) => `hat sich seit ${seconds} s nicht gemeldet`,
    onTheWay: (n) => few(n, "Stimme unterwegs", "Stimmen unterwegs"),
    upToDate: "alle Stimmen sind da",
    people: (n, connected) =>
      connected === n ? few(n, "Person", "Personen") : `${few(n, "Person", "Personen")}, ${connected} verbunden`,
    answered: (n) => `${n} haben geantwortet`,
    late: (n) => few(n, "Stimme kam zu spät", "Stimmen kamen zu spät"),
    lateHint: "Diese Stimmen wurden rechtzeitig abgegeben, kamen aber erst nach der Auflösung an. Sie bleiben gespeichert, zählen aber nicht.",
    right: "Richtig, nach Standort",
    rightOf: (percent, low, high) => `${percent} % (${low} bis ${high})`,
    unjudged: (n) => `n = ${n}`,
    waiting: (name) => `Warten auf ${name}`,
    goOn: "Ohne diesen Standort weiter",
    goOnHint: "Stimmen, die später ankommen, bleiben gespeichert, zählen aber nicht. Wer sie abgegeben hat, erfährt es.",
    screen: "Beamerseite für diesen Standort",
    invite: "Co-Leitung einladen",
    inviteHint: (site) =>
      `Für eine Kollegin oder einen Kollegen in ${site}: kann den Standort sperren, dort Personen entfernen und ihnen Zeit geben. Der Link gilt nur in ${site}.`,
    noAddress: "Setze die Adresse davor, unter der dieser Standort dort geöffnet wird.",
    cohost: (site) => `Co-Leitung in ${site}`,
    cohostMay: "Du bist nur für die Personen an deinem Standort zuständig. Das Spiel führt die Spielleitung.",
    lock: "Standort sperren",
    unlock: "Standort entsperren",
    isLocked: "An diesem Standort kommt gerade niemand neu herein.",
    giveTime: "Diesem Standort 30 s mehr geben",
    given: (seconds) => `Deine Gruppe hat noch ${seconds} s.`,
    ownPeople: "Personen hier",
    lost: "Dieser Link öffnet hier keinen Raum. Er gilt nur an seinem Standort und nur, solange dieser verbunden ist.",
    none: "An anderen Standorten spielt noch niemand mit.",
  },
  /** The opening minute. */
  opening: {
    title: "Die zwei Lücken in einer Minute",
    links: "Zwei Verbindungen können reißen.",
    caseOf: (n) => `Kurzer Fall ${n} von 2`,
    line: {
      intended: "Ein Hund, der still bleibt, wenn es klingelt.",
      written: "Ein Leckerli, wenn er beim Klingeln still bleibt.",
      learned: "Still sein beim Klingeln bringt Leckerlis.",
    },
    cases: [
      {
        story: "Wir geben jedes Mal ein Leckerli, wenn das Bellen aufhört, also bellt der Hund öfter.",
        intended: "Ein Hund, der still bleibt, wenn es klingelt.",
        written: "Ein Leckerli, wenn das Bellen aufhört.",
        learned: "Erst bellen, dann aufhören.",
        why: "Nach der Regel, die wir aufgeschrieben haben, lohnt sich das Bellen.",
      },
      {
        story: "Jedes Leckerli gibt es fürs Stillsein beim Klingeln, aber Papa ist immer dabei; ist Papa weg, bellt der Hund.",
        intended: "Ein Hund, der still bleibt, wenn es klingelt.",
        written: "Ein Leckerli fürs Stillsein beim Klingeln.",
        learned: "Still sein, solange Papa da ist.",
        why: "Nach der Regel, die wir aufgeschrieben haben, hat sich das Bellen nie gelohnt.",
      },
    ],
    tapped: "Gespeichert. Hier gibt es noch keine Punkte.",
  },
  theTest: "Hätte das falsche Verhalten nach dem aufgeschriebenen Ziel gut abgeschnitten? Ja: außen. Nein: innen.",
  commands: { show_opening: "Einstieg zeigen" },
  /** The preview of a case. */
  preview: {
    leftOut: (n) =>
      n === 1 ? "Eine Datei wurde ausgelassen" : `${n} Dateien wurden ausgelassen`,
    leftOutHint: "Die anderen Fälle sind da. Verbessere die Datei und komm dann auf diese Seite zurück.",
    steps: "Schritt für Schritt, auf Handy und Beamer",
    title: "Vorschau eines Falls",
    momentsName: "Abschnitte der Runde",
    earlier: "Zurück",
    later: "Weiter",
    asPhone: "Auf dem Handy",
    asProjector: "Auf dem Beamer",
    moments: {
      read: "Lesen",
      vote: "Abstimmen",
      vote_closed: "Abstimmung beendet",
      discuss: "Besprechen",
      "reveal.tallies": "Ergebnis",
      "reveal.intended": "Gemeint",
      "reveal.written": "Aufgeschrieben",
      "reveal.learned": "Gelernt",
      "reveal.verdict": "Urteil",
      "reveal.why_not": "Warum nicht die andere Lücke?",
      "reveal.flip": "Was das Urteil umdreht",
      "reveal.fix": "Reparatur und wer sie vornimmt",
      "reveal.beyond": "Über die Reparatur hinaus",
      "reveal.say": "Selbst sagen",
      fix: "Welche Reparatur?",
      fix_reveal: "Die Reparaturen im Urteil",
    },
  },
};
