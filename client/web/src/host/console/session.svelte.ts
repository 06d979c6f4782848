// The console's side of the wire: one session, one command at a time.
import { ownZone } from "../../parts/when";
import type { HostView, RefusedMessage, ServerMessage } from "../../protocol";
import { nextHostKey, prove } from "../../room/keys";
import { randomName, Session, type Command } from "../../room/session.svelte";
import { PASSING } from "../../room/socket";
import { roomHash } from "../link";
import { commandOf, isEarly, leadsOn, NO_CHANGE } from "./moves";

const LOST = new Set(["wrong_proof", "link_called_back", "unknown_room", "room_closed"]);
const PATIENCE_MS = 4000;

export class ConsoleSession {
  readonly session: Session;
  /** A command is on its way: a second press must not skip a phase. */
  isBusy = $state(false);
  /** The last command's refusal, until the next command. */
  refused: RefusedMessage | null = $state.raw(null);
  /** Why the close has to be confirmed: few have answered, or extra time is running. */
  question: "early" | "override" | null = $state(null);
  #hasSaidZone = false;
  /** Why this link opens no room here. */
  lost: RefusedMessage | null = $state.raw(null);
  /** The host key; another one once the link has been called back here. */
  key = $state("");
  readonly #room: string;
  /** A call back that has not been answered: its number, and the key it leads to. */
  #calling: { ref: number; key: string } | null = null;
  /** What waits for an answer, by its number. */
  #asked = new Map<number, (message: ServerMessage | null) => void>();
  #busyRef: number | null = null;
  #closingRef: number | null = null;
  #stop: () => void = () => {};

  /** `also` gets every message. */
  constructor(room: string, key: string, also: (message: ServerMessage) => void = () => {}) {
    this.#room = room;
    this.key = key;
    const proof = (nonce: string) => prove(this.key, "host", room, nonce);
    this.session = new Session({ role: "host", room, prove: proof }, (message) => {
      this.#hear(message);
      this.#answer(message);
      also(message);
    });
  }

  /** Ask for something and wait; null if the connection dropped before the answer. */
  ask(command: Command): Promise<ServerMessage | null> {
    const ref = this.tell(command);
    if (ref === null) return Promise.resolve(null);
    return new Promise((answer) => this.#asked.set(ref, answer));
  }

  #answer(message: ServerMessage): void {
    if (message.type === "welcome") {
      for (const answer of this.#asked.values()) answer(null);
      this.#asked.clear();
    }
    const ref = "ref" in message ? message.ref : null;
    if (ref === null || !this.#asked.has(ref)) return;
    this.#asked.get(ref)?.(message);
    this.#asked.delete(ref);
    // The part that asked shows the refusal itself.
    if (message.type === "refused" && this.refused === message) this.refused = null;
  }

  /** A close waits for its confirmation. */
  get needsOverride(): boolean {
    return this.question !== null;
  }

  start(): () => void {
    this.#stop = this.session.start();
    return () => this.#stop();
  }

  /** Give a command that moves the game; ignored while another one is on its way. */
  move(name: string, command: Command = commandOf(name), isSure = false): void {
    if (this.isBusy) return;
    this.question = null;
    if (!isSure && isEarly(command, this.session.room.panel)) {
      this.question = "early";
      return;
    }
    const ref = this.tell(command);
    if (ref === null) return;
    this.isBusy = true;
    this.#busyRef = ref;
    this.#closingRef = name === "close_votes" ? ref : null;
    setTimeout(() => this.#release(ref), PATIENCE_MS);
  }

  /** Give a command as it was decided on: the server refuses it as `stale` if the
      room has gone on. */
  tell(command: Command): number | null {
    this.refused = null;
    const place = this.session.room.host?.place;
    return this.session.send(command, leadsOn(command) ? place : undefined);
  }

  /** Dates are the class's: the first console says in which time zone it is. */
  #sayZone({ settings, commands }: HostView): void {
    const zone = ownZone();
    if (this.#hasSaidZone || settings.time_zone !== null || zone === null) return;
    if (!commands.length) return;
    this.#hasSaidZone = true;
    this.session.send({ type: "change_settings", change: { ...NO_CHANGE, time_zone: zone } });
  }

  /** Whether this link opens no room here. */
  get isLost(): boolean {
    return this.lost !== null;
  }

  /** Call the host link back; this page goes on with the new one. */
  callBackLink(cohosts: boolean): void {
    const salt = randomName();
    const ref = this.tell({ type: "call_back_link", salt, cohosts });
    if (ref !== null) this.#calling = { ref, key: nextHostKey(this.key, salt) };
  }

  #useNewKey(): void {
    if (!this.#calling) return;
    this.key = this.#calling.key;
    this.#calling = null;
    history.replaceState(history.state, "", roomHash(this.#room, this.key));
  }

  #hear(message: ServerMessage): void {
    if (message.type === "host_view") this.#sayZone(message.view);
    if (message.type === "welcome") this.#release(this.#busyRef);
    if (message.type === "done") {
      if (message.ref === this.#calling?.ref) this.#useNewKey();
      this.#release(message.ref);
    }
    if (message.type !== "refused") return;
    this.#release(message.ref);
    // A hello was refused and will be sent again; the bar says so.
    if (this.session.link !== "open" && PASSING.has(message.code)) return;
    if (!this.session.room.welcome) {
      if (!LOST.has(message.code)) return;
      this.#shutOut(message);
    } else if (message.code === "time_needed" && message.ref === this.#closingRef) {
      this.question = "override";
    } else if (message.code !== "overtaken") {
      this.refused = message;
    }
  }

  /** Give up, unless the link was revoked from here and no answer came. */
  #shutOut(message: RefusedMessage): void {
    if (message.code === "link_called_back" && this.#calling) {
      this.#useNewKey();
      this.session.restart();
      return;
    }
    this.lost = message;
    this.#stop();
  }

  #release(ref: number | null): void {
    if (ref === null || ref !== this.#busyRef) return;
    this.isBusy = false;
    this.#busyRef = null;
  }
}
