// Where players find this server. A page on an address that only this machine knows
// asks the server for those that phones can reach; the host may choose another of them.
import { address } from "../room/memory";
import { isLocal } from "./local";

interface Answer {
  url: string;
  urls?: string[];
  used?: string[];
}

class Where {
  /** Scheme, host and port, as links and QR codes need them. */
  origin: string = $state(location.origin);
  /** All addresses of the server that others may reach, the likeliest first. */
  all: string[] = $state([]);
  /** Those that another device has really used. */
  used: string[] = $state([]);
  #isAsked = false;

  /** What people type. */
  get host(): string {
    return hostOf(this.origin);
  }

  /** Only this machine can use this address. */
  get isLocal(): boolean {
    return isLocal(new URL(this.origin).hostname);
  }

  /** The picture of the QR code of a room, or of the page where a code is typed. */
  qr(room?: string): string {
    const at = this.all.length > 1 ? `?at=${encodeURIComponent(this.host)}` : "";
    return `/qr${room ? `/${room}` : ""}.svg${at}`;
  }

  /** Ask if it matters, and listen for what another window of this browser chooses. */
  async ask(): Promise<void> {
    if (this.#isAsked || !isLocal(location.hostname)) return;
    this.#isAsked = true;
    addEventListener("storage", () => this.#take());
    await this.again();
  }

  /** Ask again: networks come and go. Without an answer all stays as it is. */
  async again(): Promise<void> {
    if (!isLocal(location.hostname)) return;
    try {
      const { url, urls, used } = (await (await fetch("/where.json")).json()) as Answer;
      this.all = (urls ?? [url]).map(plain);
      this.used = (used ?? []).map(plain);
      this.#take();
    } catch {
      this.#isAsked = false;
    }
  }

  /** Give players this address from now on, in every window of this browser. */
  choose(origin: string): void {
    address.set(origin);
    this.#take();
  }

  #take(): void {
    const chosen = address.get();
    const origin = this.all.find((one) => one === chosen) ?? this.all[0];
    if (origin) this.origin = origin;
  }
}

function plain(url: string): string {
  return new URL(url).href.replace(/\/$/, "");
}

export function hostOf(origin: string): string {
  return origin.replace(/^https?:\/\//, "");
}

export const where = new Where();
