// A live room for a page: joins the connection, the reducer and the vote box, as
// Svelte state.
import type { Ballot, ClientMessage, Place, ServerMessage } from "../protocol";
import { EMPTY, reduce, type Room } from "./model";
import { Connection, socketUrl, type Identity, type Link } from "./socket";
import * as votes from "./votes";

type Unsent<T> = T extends { ref: number | null } ? Omit<T, "ref" | "seen"> : T;
export type Command = Unsent<ClientMessage>;

const RESEND_MS = 700;
/** A line that opens takes less than this, even if the network is slow. */
const STUCK_MS = 6000;
/** A line that was cut is back sooner, unless something is in the way. */
const CUT_MS = 5000;
/** A vote that nothing has answered for so long: is the line alive? */
const UNSURE_MS = 2000;
/** What happens when a device wakes up, or finds a network. */
const WAKING = ["visibilitychange", "pageshow", "online"];

export class Session {
  room: Room = $state.raw(EMPTY);
  link: Link = $state("closed");
  box: votes.Box = $state.raw(votes.emptyBox(""));
  /** Local time, four times a second, for clocks. */
  nowMs = $state(Date.now());
  /** Since when this page has had no line to its room, by our own clock. */
  #startMs = $state(Infinity);
  /** Nothing has let this page in for a while, and nothing has said why. */
  isStuck = $derived.by(() => {
    const { welcome, refused, bye } = this.room;
    if (bye?.come_back === false || (!welcome && refused)) return false;
    return this.nowMs - this.#startMs > (welcome ? CUT_MS : STUCK_MS);
  });
  readonly identity: Identity;
  #connection: Connection;
  #hear: (message: ServerMessage) => void;
  #ref = 0;
  /** When the vote went out that nothing has answered. */
  #sentMs = Infinity;

  constructor(identity: Identity, hear: (message: ServerMessage) => void = () => {}) {
    this.identity = identity;
    this.#hear = hear;
    if (identity.role === "player") this.box = restoreBox(identity.room ?? "");
    this.#connection = new Connection(socketUrl(location), identity, {
      onMessage: (message) => this.#receive(message),
      onLink: (link) => this.#enter(link),
    });
  }

  /** Connect, and stay connected till the returned function is called. */
  start(): () => void {
    this.#startMs = Date.now();
    this.#connection.start();
    const check = () => document.visibilityState === "visible" && this.check();
    const clock = setInterval(() => this.#tick(), 250);
    for (const wake of WAKING) addEventListener(wake, check, true);
    return () => {
      clearInterval(clock);
      for (const wake of WAKING) removeEventListener(wake, check, true);
      this.#connection.stop();
    };
  }

  /** Find out whether the line is alive, and connect anew when it is not. */
  check(): void {
    this.#connection.check();
  }

  #tick(): void {
    this.nowMs = Date.now();
    if (this.box.state !== "sending") this.#sentMs = Infinity;
    if (this.nowMs - this.#sentMs < UNSURE_MS) return;
    this.#sentMs = this.nowMs;
    this.check();
  }

  /** Come back after a bye that said to stay away. */
  restart(): void {
    this.room = { ...this.room, bye: null };
    this.#connection.start();
  }

  /** Send a command, with the place it was decided on if it leads on from there;
      returns its number, or null when there is no connection. */
  send(command: Command, seen?: Place): number | null {
    const ref = (this.#ref += 1);
    const message = { ...command, ...(seen && { seen }), ref } as ClientMessage;
    return this.#connection.send(message) ? ref : null;
  }

  /** Send something that has no number. */
  tell(message: ClientMessage): boolean {
    return this.#connection.send(message);
  }

  /** Answer the open ballot, or change the answer. */
  vote(ballot: Ballot, answer: votes.Answer, reason: string): void {
    const round = this.room.stage?.room.round;
    if (round === null || round === undefined) return;
    const isOnline = this.link === "open";
    this.#keep(votes.cast(this.box, round, ballot, answer, reason, isOnline));
    this.#sendVote();
  }

  standing(ballot: Ballot): votes.Standing {
    const { stage, you } = this.room;
    const round = stage?.room.round ?? null;
    const isSame = you !== null && you.round === round;
    return votes.standing(this.box, round, ballot, isSame ? you.votes : []);
  }

  #receive(message: ServerMessage): void {
    this.room = reduce(this.room, message, Date.now());
    if (message.type === "welcome") this.#sendVote();
    if (message.type === "received") this.#keep(votes.received(this.box, message));
    if (message.type === "recorded") this.#keep(votes.recorded(this.box, message));
    if (message.type === "refused") {
      const [box, again] = votes.refused(this.box, message);
      this.#keep(box);
      if (again) setTimeout(() => this.#sendVote(), RESEND_MS * (1 + Math.random()));
    }
    this.#hear(message);
  }

  #enter(link: Link): void {
    if (link === "open") this.#startMs = Infinity;
    else if (this.link === "open") this.#startMs = Date.now();
    this.link = link;
    if (link !== "open") this.#keep(votes.cut(this.box));
  }

  #sendVote(): void {
    const vote = votes.unrecorded(this.box);
    if (!vote || !this.#connection.send(vote)) return;
    this.#sentMs = Date.now();
    this.#keep(votes.sent(this.box));
  }

  #keep(box: votes.Box): void {
    if (box === this.box) return;
    this.box = box;
    try {
      sessionStorage.setItem(boxName(this.identity.room ?? ""), JSON.stringify(box));
    } catch {
      // A private window without storage: the vote lives as long as the page.
    }
  }
}

function boxName(room: string): string {
  return `two-gaps vote ${room}`;
}

/** The vote that this tab had not seen recorded before it was reloaded. */
function restoreBox(room: string): votes.Box {
  try {
    const stored = sessionStorage.getItem(boxName(room));
    if (stored) return votes.cut(JSON.parse(stored) as votes.Box);
  } catch {
    // No storage, or not ours: begin anew.
  }
  return votes.emptyBox(randomName());
}

/** 32 random hex digits. */
export function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
