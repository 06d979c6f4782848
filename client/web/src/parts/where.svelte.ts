// Where players find this server. A page on an address that only this machine knows
// asks the server for the one that phones can reach.
import { isLocal } from "./local";

class Where {
  /** Scheme, host and port, as links and QR codes need them. */
  origin: string = $state(location.origin);
  #isAsked = false;

  /** What people type. */
  get host(): string {
    return this.origin.replace(/^https?:\/\//, "");
  }

  /** Nobody else can use this address. */
  get isLocal(): boolean {
    return isLocal(new URL(this.origin).hostname);
  }

  /** Ask once, and only where it matters; without an answer all stays as it is. */
  async ask(): Promise<void> {
    if (this.#isAsked || !isLocal(location.hostname)) return;
    this.#isAsked = true;
    try {
      const { url } = (await (await fetch("/where.json")).json()) as { url: string };
      this.origin = new URL(url).href.replace(/\/$/, "");
    } catch {
      this.#isAsked = false;
    }
  }
}

export const where = new Where();
