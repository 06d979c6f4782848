import type { LateCatalogue } from "./en.late";

const few = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

export const words: LateCatalogue = {
  /** A device that several people share. */
  device: {
    notYou: (name) => `Nicht ${name}? Als jemand anderes mitspielen`,
  },
  /** A page that gets no connection: the cause, and what helps. */
  blocked: {
    title: "Diese Seite kommt nicht ins Spiel",
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
      origin: (at) => `Wer den Server betreibt, startet ihn mit --public-url ${at}.`,
      upgrade: () =>
        "Wer den Proxy betreibt, lässt ihn Upgrade und Connection weitergeben; im Ordner deploy/ stehen Beispiele für nginx und Caddy.",
      busy: () => "Wer drin ist, spielt weiter. Warte einen Moment.",
      filter: (at) =>
        `Schalte das VPN aus oder nimm ein anderes Netz, zum Beispiel einen Hotspot. Wer den Filter betreut, kann WebSocket-Verbindungen zu ${at} erlauben.`,
    },
    goesOn: "Die Seite versucht es von selbst weiter.",
  },
  /** The card of a learner, and "say it". */
  card: {
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
    onTwin: "Beim Zwillingsfall",
    theTwin: "Der Zwillingsfall:",
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
  },
  /** Sites as every page shows them. */
  sites: {
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
  },
  /** Sites as only hosts see them. */
  sitesOfHosts: {
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
    noAddress: "Setze die Adresse davor, unter der die Leute dort den Standort öffnen.",
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
  },
  /** The preview of a case. */
  opening: {
    title: "Die zwei Lücken in einer Minute",
    links: "Zwei Verbindungen können reißen.",
    caseOf: (n: number) => `Kurzer Fall ${n} von 2`,
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
    tapped: "Gespeichert. Es zählt nicht.",
  },
  theTest: "Wäre das falsche Verhalten nach dem aufgeschriebenen Ziel gut? Ja: außen. Nein: innen.",
  commands: { show_opening: "Die Anfangsminute" },
  preview: {
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
  },
};
