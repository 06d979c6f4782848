// One connection that heals: hello, proof, back-off with jitter, pings. It knows
// frames and time, and nothing of what the messages mean to a page.
import type { ClientMessage, Hello, ServerMessage } from "../protocol";

export type Link = "connecting" | "open" | "waiting" | "closed";

export interface Identity {
  role: Hello["role"];
  room: string | null;
  /** Answers a challenge (see keys.ts), for roles that hold a key. */
  prove?: (nonce: string) => string;
  token?: string | null;
  name?: string | null;
  /** Random, 32 hex digits: a hello sent again with it joins no second time. */
  joinKey?: string;
  /** Marks the device, so that a removed player stays out on it: 32 hex digits. */
  device?: string;
  team?: string | null;
}

/** What the socket needs of the world; tests bring their own. */
export interface World {
  open: (url: string) => WebSocket;
  after: (ms: number, run: () => void) => unknown;
  cancel: (timer: unknown) => void;
  random: () => number;
}

export interface Listener {
  onMessage: (message: ServerMessage) => void;
  onLink: (link: Link) => void;
}

export const REAL: World = {
  open: (url) => new WebSocket(url),
  after: (ms, run) => setTimeout(run, ms),
  cancel: (timer) => clearTimeout(timer as number),
  random: Math.random,
};

/** Refusals that say nothing against who is refused: the connection tries again. */
export const PASSING = new Set([
  "busy",
  "storage_unavailable",
  "too_fast",
  "shutting_down",
  "internal",
]);

const PING_MS = 15_000;
const SILENCE_MS = 40_000;
const WELCOME_MS = 12_000;
/** A line that was asked whether it is alive has this long to answer. */
const ANSWER_MS = 2000;

/** Wait before try `n` (0-based): doubling from 0.4 s to 12 s, half of it random. */
export function backOffMs(n: number, random: number): number {
  const most = Math.min(12_000, 400 * 2 ** n);
  return Math.round(most / 2 + (most / 2) * random);
}

export class Connection {
  #socket: WebSocket | null = null;
  /** The server's addresses, in the order in which they are tried. */
  #urls: [string, ...string[]];
  #link: Link = "closed";
  #tries = 0;
  #retry: unknown = null;
  /** How long the server asked to stay away, for the next try only. */
  #leastMs = 0;
  #ping: unknown = null;
  #silence: unknown = null;
  /** A check is under way: another one must not give the line more time. */
  #isAsked = false;

  constructor(
    url: string,
    private readonly identity: Identity,
    private readonly listener: Listener,
    private readonly world: World = REAL,
  ) {
    this.#urls = [url];
  }

  get link(): Link {
    return this.#link;
  }

  /** Connect now, whatever the back-off says. */
  start(): void {
    this.#clear();
    this.#socket?.close();
    this.#enter("connecting");
    const socket = this.world.open(this.#urls[0]);
    this.#socket = socket;
    const isCurrent = () => this.#socket === socket;
    socket.onopen = () => isCurrent() && this.#hello();
    socket.onmessage = (event) => isCurrent() && this.#receive(String(event.data));
    socket.onclose = () => isCurrent() && this.#lost();
    this.#expect(WELCOME_MS);
  }

  stop(): void {
    const socket = this.#socket;
    this.#socket = null;
    this.#clear();
    socket?.close();
    this.#enter("closed");
  }

  /** Make sure that the line is alive: a socket that died while the device slept gives
      no sign of it. Ask, and connect anew when nothing comes back. */
  check(): void {
    if (this.#link === "waiting") return this.start();
    if (this.#link === "closed" || this.#isAsked) return;
    this.send({ type: "ping", ref: null });
    this.#expect(ANSWER_MS, () => this.start());
    this.#isAsked = true;
  }

  /** Send now; false when there is no open connection. */
  send(message: ClientMessage): boolean {
    if (this.#link !== "open" || !this.#socket) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #hello(): void {
    const { role, room, token, name, joinKey, device, team } = this.identity;
    const hello: Record<string, unknown> = { type: "hello", version: 1, role, room };
    if (token) hello.token = token;
    else if (name) Object.assign(hello, { name, join_key: joinKey, device });
    if (team) hello.team = team;
    this.#socket?.send(JSON.stringify(hello));
  }

  #receive(frame: string): void {
    const message = JSON.parse(frame) as ServerMessage;
    this.#expect(SILENCE_MS);
    switch (message.type) {
      case "challenge": {
        const proof = this.identity.prove?.(message.nonce) ?? "";
        this.#socket?.send(JSON.stringify({ type: "prove", proof }));
        return;
      }
      case "welcome":
        this.#tries = 0;
        this.identity.token = message.token ?? this.identity.token;
        this.#learn(message.addresses);
        this.#enter("open");
        this.#schedulePing();
        break;
      case "refused":
        this.listener.onMessage(message);
        if (this.#link === "connecting" && PASSING.has(message.code)) {
          this.#leastMs = message.retry_ms ?? 0;
          this.#socket?.close();
        }
        return;
      case "bye":
        this.#leastMs = message.retry_ms ?? 0;
        this.listener.onMessage(message);
        if (!message.come_back) this.stop();
        return;
      default:
    }
    this.listener.onMessage(message);
  }

  /** Continue at these, too, but never without TLS after having had it. */
  #learn(addresses: readonly string[] = []): void {
    const [here] = this.#urls;
    const more = addresses.filter((url) => url !== here && (/^ws:/.test(here) || /^wss:/.test(url)));
    this.#urls = [here, ...more];
  }

  #lost(): void {
    if (this.#link === "connecting") this.#urls.push(this.#urls.shift()!);
    this.#socket = null;
    this.#clear();
    this.#enter("waiting");
    const wait = this.#leastMs + backOffMs(this.#tries, this.world.random());
    this.#leastMs = 0;
    this.#tries += 1;
    this.#retry = this.world.after(wait, () => this.start());
  }

  #schedulePing(): void {
    this.#ping = this.world.after(PING_MS, () => {
      this.send({ type: "ping", ref: null });
      this.#schedulePing();
    });
  }

  /** Give the line up when nothing has come for a while. */
  #expect(ms: number, giveUp = () => this.#giveUp()): void {
    this.#isAsked = false;
    this.world.cancel(this.#silence);
    this.#silence = this.world.after(ms, giveUp);
  }

  #giveUp(): void {
    const socket = this.#socket;
    this.#lost();
    socket?.close();
  }

  #clear(): void {
    for (const timer of [this.#retry, this.#ping, this.#silence]) {
      this.world.cancel(timer);
    }
  }

  #enter(link: Link): void {
    this.#link = link;
    this.listener.onLink(link);
  }
}

export function socketUrl(location: Location): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}/ws`;
}
