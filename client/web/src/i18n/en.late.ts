// Strings that load after the first paint: with the card, with sites, and with the pages
// for authors of cases.
const few = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;

import type { Sentences } from "./index.svelte";

export const words = {
  sentences: {} as Sentences,
  /** A device that several people share. */
  device: {
    notYou: (name: string) => `Not ${name}? Join as someone else`,
  },
  /** A page that gets no connection: the cause, and what helps. */
  blocked: {
    title: "This page can’t connect to the game",
    causes: {
      server: () => "The server isn’t responding.",
      origin: (host: string, here: string) =>
        `A tunnel or proxy changes the host name: this page is at ${here}, but its requests reach the server as ${host}.`,
      upgrade: () =>
        "A proxy between this device and the server turns live connections (WebSocket) into ordinary requests: it drops the Upgrade header.",
      busy: () => "The server is full or shutting down.",
      filter: () =>
        "Something between this device and the server blocks live connections (WebSocket): a school or company filter, a proxy, a VPN or a virus scanner.",
    },
    remedies: {
      server: () =>
        "Check that it is still running, that this device is on the same network, and that no VPN or mobile data gets in the way.",
      origin: (at: string) => `The server’s operator must start it with --public-url ${at}.`,
      upgrade: () =>
        "The proxy must forward the Upgrade and Connection headers; the deploy/ folder has examples for nginx and Caddy.",
      busy: () => "Players who are already in can keep playing. Wait a moment.",
      filter: (at: string) =>
        `Turn off the VPN or use another network, such as a hotspot. The filter’s operator can allow WebSocket connections to ${at}.`,
    },
    goesOn: "This page keeps trying.",
  },
  /** The card of a learner, and "say it". */
  card: {
    cardFor: (name: string) => `${name}’s card`,
    cardIntro: (right: number, of: number) =>
      `In the first vote, you got ${right} of ${few(of, "case", "cases")} right.`,
    cardNone: "No scored votes in this game.",
    sureAndWrong: "Where you were sure but wrong",
    noneSureWrong: "You were never wrong when you were sure.",
    lean: "Which way you lean",
    leanOuter: "When you miss, you mostly call an inner failure outer: check whether the objective was right before you blame it.",
    leanInner: "When you miss, you mostly call an outer failure inner: check whether the system simply did what was asked.",
    leanNone: "Your misses go both ways: no lean to speak of.",
    leanFew: "Too few misses to tell.",
    onTwin: "On the twin case",
    theTwin: "The twin case:",
    evidence: {
      confirmed: "Facts: checked against the original wording.",
      secondary: "Facts: as others report them.",
      disputed: "Facts: sources disagree.",
    },
    calibration: "When you said…",
    calibrationLine: (percent: number, right: number, n: number) =>
      `${percent}%: you were right in ${right} of ${n}`,
    saveCard: "Save as a file",
    print: "Print",
    biasOver: (said: string, right: string) =>
      `On average, you said ${said} and got ${right} right: overconfident.`,
    biasUnder: (said: string, right: string) =>
      `On average, you said ${said} and got ${right} right: you can be more confident.`,
    biasNone: (said: string, right: string) =>
      `On average, you said ${said} and got ${right} right: about as sure as you should be.`,

    sayTitle: "Say it",
    sayPrompt: "Say it as an expert would: the objective, what was learned, where it broke, and who fixes it.",
    sayPlaceholder: "One sentence in your own words",
    sayStored: "It is stored with your votes in the host’s journal, and erased with your name.",
    sayRead: "The host sees it with your name, and may show it to everyone without your name.",
    saySend: "Send",
    saySent: "Recorded. You can still change it.",
    sayYours: "You said",
    sayExpert: "An expert would say",
    sayOnCard: "Say it yourself first",

    takeTitle: "Six to come back to",
    takeWhen: (date: string) => `New cases to try on ${date}: decide first, then see the answer.`,
    takeAnswer: "The answer",
    takeCalendar: "Add the date to a calendar",
    takeEvent: "Two Gaps: six cases to come back to",
  },
  /** A sentence against the label of a case, on phones and for hosts. */
  challenge: {
    link: "I disagree with this label",
    prompt: "Why is the label wrong? Name the fact or the rule.",
    placeholder: "One sentence of your own",
    kept: "The host sees it with your name. It isn’t scored; the report counts it.",
    keptOfHost: "Phones and the projector don’t show it. The report counts it.",
    send: "Send",
    sent: "Recorded. You can still change it.",
    yours: "You disagree with the label:",
    change: "Change or take back",
    takeBack: "Take it back",
    cancel: "Cancel",
    title: "Challenges to this label",
    none: "None.",
    cohost: (site: string) => `co-host at ${site}`,
    more: (n: number) => `${n} more in the report`,
  },
  /** The open vote on a phone. */
  ballot: {
    closesSoon: "Everyone has answered. Voting closes in a few seconds.",
    outerAsk: "Did the outer gap break?",
    innerAsk: "Did the inner gap break?",
    outerAskIs: "what we wrote isn’t what we meant",
    innerAskIs: "what it learned isn’t what we wrote",
    whichGaps: "Which gaps broke?",
    howSure: "How sure are you?",
    sure: {
      50: "coin flip",
      60: "a little",
      70: "fairly",
      75: "fairly",
      80: "quite",
      90: "very",
      100: "certain",
    } as Record<number, string>,
    honest: "Say what you really think. Over many cases, honesty scores best.",
    stakes: (right: string, wrong: string) => `${right} points if you are right, ${wrong} if not.`,
    eitherWay: (points: string) => `${points} points either way.`,
    linkOf: (n: number) => `Question ${n} of 2`,
    itBroke: (sign: string) => `It broke if ${sign}.`,
    change: "Change",
    readAgain: "Read again",
    firstVote: "Your first answer",
    stickWithMine: "Keep my answer",
    whichFact: "Which fact decides it?",
  },
  /** What a phone says before the first case. */
  lobby: {
    waitForHost: "The game starts when the host opens the first case.",
    howSteps: [
      "You read how an AI system went wrong.",
      "You say which gap broke, and how sure you are.",
      "You argue, vote again, and see what experts say.",
    ],
    soundsLike: "An honest “not sure” scores better than a bold guess.",
  },
  /** Who to talk to in a discussion. */
  talk: {
    talkGroup: (n: number) => `Group ${n}`,
    talkTo: (names: string) => `Talk to ${names}.`,
    talkFind: (n: number) =>
      n === 1 ? "Find the other person with this number." : `Find the ${n} others with this number.`,
    talkMissing: "Can’t find them? Join the group next to you.",
  },
  /** What a round leaves: private on a phone, or of the whole class. */
  energy: {
    groupGained: "More of your group got it right the second time.",
    classAt: (mean: string, goal: string) => `Your class is at ${mean}. The goal is ${goal}.`,
    missed: "A missed vote counts less than an honest “coin flip”.",
    vibrate: "Vibrate when a vote begins",
  },
  /** What only the wall says. */
  wall: {
    dark: "Dark colors",
    answers: "Answers",
    storiesOnPhones: "Both stories are on your phones.",
    hadIt: (n: number, of: number) => `${n} of ${of} got it right.`,
    dotIs: (k: number) => `Each dot is ${k} people.`,
    whoMoved: (moves: string) => `${moves}.`,
    sameTally: "The second vote came out the same as the first.",
    welcome: "Where did the AI go wrong?",
    learned: "What you found out",
    talkOf: (i: number, n: number) => (n > 1 ? `Talking point ${i} of ${n}` : "Talking point"),
    square: "Each link can break alone",
    learnedWritten: "It learned what we wrote",
    learnedOther: "It learned something else",
    wroteMeant: "We wrote what we meant",
    wroteOther: "We wrote something else",
    testDone: "That’s the end of the test.",
    testKept: "Your answers are recorded. A test shows no verdicts.",
    meter: (mean: string, goal: string) => `Class mean ${mean} of 100 points; goal ${goal}`,
    yourClass: (mean: string) => `Your class: ${mean}`,
    coinFlip: "coin flip",
    goal: "goal",
    setOut: (mean: string, goal: string) => `Class mean ${mean}. Our goal was ${goal}.`,
    gotThere: "You made it.",
    bestCases: "Right: first and second vote",
    fullAndSound: "Full screen and sound",
    full: "Full screen",
    silent: (button: string) => `The projector is muted: press “${button}” on it.`,
  },
  /** Sites as every page shows them. */
  sites: {
    sideBySide: "Site by site",
    site: "Site",
    saidOuter: "said outer",
    saidOption: (name: string) => `said ${name.toLowerCase()}`,
    first: "first vote",
    second: "second vote",
    here: "here",
    range: (low: number, high: number) => `${low} to ${high}`,
    interval: "95% interval",
    n: (n: number) => `n = ${n}`,
    hidden: {
      few: "too few to show",
      cover: "not shown, to keep a small site’s votes private",
    },
    /** The same on a wall; why is on the phones. */
    hiddenOnWall: {
      few: "too few",
      cover: "not shown",
    },
    noVotes: "no votes",
    noScores: "no scores",
    meanScore: "mean score per person",
  },
  /** Sites as only hosts see them. */
  sitesOfHosts: {
    title: "Sites",
    isHere: "this server",
    isUp: "connected",
    isCut: "connection lost",
    isGone: "no contact",
    silent: (seconds: number) => `no contact for ${seconds} s`,
    onTheWay: (n: number) => few(n, "vote on its way", "votes on their way"),
    upToDate: "all votes are in",
    people: (n: number, connected: number) =>
      connected === n ? few(n, "person", "people") : `${few(n, "person", "people")}, ${connected} connected`,
    answered: (n: number) => `${n} answered`,
    late: (n: number) => few(n, "vote came too late", "votes came too late"),
    lateHint: "Votes that were cast in time but arrived after the reveal. They are kept, but not scored.",
    right: "Right, by site",
    rightOf: (percent: number, low: number, high: number) =>
      `${percent}% (${low} to ${high})`,
    unjudged: (n: number) => `n = ${n}`,
    waiting: (name: string) => `Waiting for ${name}`,
    goOn: "Continue without",
    goOnHint: "Votes that arrive later are kept but not scored. Their players are notified.",
    screen: "Site projector page",
    invite: "Invite a co-host",
    inviteHint: (site: string) =>
      `For a colleague at ${site}, who can lock the site, remove people there and give them more time. The link works only at ${site}.`,
    noAddress: "Put the site’s address before it.",
    cohost: (site: string) => `Co-host of ${site}`,
    cohostMay: "You can act only for the people at your site. The host leads the game.",
    lock: "Lock this site",
    unlock: "Unlock this site",
    isLocked: "New players can’t join at this site.",
    giveTime: "Give them 30 s",
    given: (seconds: number) => `Your people have ${seconds} s left.`,
    ownPeople: "People here",
    lost: "This link doesn’t open a room here. It works only at its own site, while that site is connected.",
    none: "No players at other sites yet.",
  },
  /** The opening minute. */
  opening: {
    title: "The two gaps, in a minute",
    links: "Two links can break.",
    caseOf: (n: number) => `Short case ${n} of 2`,
    line: {
      intended: "A dog that never barks at the doorbell.",
      written: "A treat each time it ignores the doorbell.",
      learned: "Ignoring the doorbell brings treats.",
    },
    cases: [
      {
        story: "We give a treat each time the barking stops, so the dog barks more.",
        intended: "A dog that never barks at the doorbell.",
        written: "A treat each time the barking stops.",
        learned: "Bark, then stop.",
        why: "Barking scores well under the rule we wrote.",
      },
      {
        story: "Each treat is for ignoring the doorbell, but Dad is always there; when Dad is out, the dog barks.",
        intended: "A dog that never barks at the doorbell.",
        written: "A treat for ignoring the doorbell.",
        learned: "Stay quiet while Dad is at home.",
        why: "Barking never scored under the rule we wrote.",
      },
    ],
    tapped: "Recorded. This isn’t scored.",
  },
  /** What decides, beside a ballot. */
  theTest: "Would the bad behavior score well under the objective they wrote? Yes: outer. No: inner.",
  /** Buttons of commands whose phases have their words here. */
  commands: {
    show_opening: "Opening minute",
    /** Not a command of its own: `show_example`, once the last case is done. */
    talk_about: "Show a case to talk about",
  } as Record<string, string>,
  /** A room that is deleted from the list of rooms. */
  deleting: {
    button: "Delete",
    ask: (room: string) => `Delete ${room}?`,
    lost: (people: number) =>
      `This deletes all of the room’s votes, reasons and sentences, ${people ? `its report and ${few(people, "card", "cards")}` : "and its report"}.`,
    final: "It can’t be undone.",
    ends: "If a game is running in it, that ends for everyone.",
    stays: "Files you saved from it stay, and so do backups of the server.",
    confirm: "Delete for good",
    busy: "Deleting…",
    done: (room: string) => `Room ${room} has been deleted.`,
    elsewhere: "This room is on another server. Delete it there.",
  },
  /** The preview of a case. */
  preview: {
    goalHint: "A mean round score, set before the first vote and shown with the class’s result.",
    inside: "What’s in it",
    leftOut: (n: number) => (n === 1 ? "One file was skipped" : `${n} files were skipped`),
    leftOutHint: "The other cases are available. Fix the file, then return to this page.",
    steps: "Step by step, on phone and projector",
    title: "Case preview",
    momentsName: "Steps of the round",
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
  },
  /** What a host steers with beside the big button. */
  steer: {
    pinIn: {
      vote: "Show after the vote",
      vote_closed: "Pin to the screen",
      contrast: "Show after the contrast",
      discuss: "Pin to the screen",
      revote: "Show after the vote",
      revote_closed: "Pin to the screen",
    } as Record<string, string>,
    pinWaits: {
      vote: "Will show after the vote.",
      contrast: "Will show after the contrast.",
      revote: "Will show after the vote.",
    } as Record<string, string>,
    sentences: "Sentences from the class",
    noSentences: "No sentences yet.",
    showSentence: "Show to everyone",
    keys: [
      ["Space, Page down, →", "take the suggested next step"],
      ["R", "reveal"],
      ["D", "discuss"],
      ["E", "explain more, after the verdict"],
      ["T", "give 30 s more"],
      ["K", "stop or restart the clock"],
      ["U", "reopen the closed vote"],
      ["P", "show or hide what only you see"],
      ["B", "blank the projector (in this browser)"],
      ["?", "this help"],
    ] as [string, string][],
    openNow: "Open now",
    openNowName: (title: string) => `Open now: ${title}`,
    upName: (title: string) => `Play earlier: ${title}`,
    downName: (title: string) => `Play later: ${title}`,
    showAgain: "Show its reveal",
    showAgainName: (title: string) => `Show its reveal: ${title}`,
    back: "Back to the lesson",
    nothingNow: "Nothing to do right now.",
    addHint: "It goes last; you can move it in the plan.",
    balance: (outer: number, inner: number) => `Plan so far: ${outer} outer, ${inner} inner.`,
    add: "Add",
    addName: (title: string) => `Add: ${title}`,
    added: (title: string) => `Added: ${title}`,
    noAnswer: "No response. Try again.",
    then: "Next case:",
    thenNothing: "No cases left.",
    roomName: "Room name",
    roomNameHint: "For lists, projector and report; up to 40 characters.",
    named: "Saved.",
    same: "Again, for another class",
    sameHint: "The same cases and settings, in a new room with a new code.",
    next: "Next lesson",
    nextHint: "Twins of the cases that were hardest for this class.",
    opened: "The room is open.",
    openConsole: (room: string) => `Go to room ${room}`,
    shownAgain: "shown again",
  },
};

export type LateCatalogue = typeof words;
