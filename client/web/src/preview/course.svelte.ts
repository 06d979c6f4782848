// One case as the server would have it played, asked for again while the page is seen.
import type { LeftOut, PreviewMessage, RefusedMessage, Scene, ServerMessage } from "../protocol";
import { prove } from "../room/keys";
import { Session } from "../room/session.svelte";

const EVERY_MS = 1500;

export class Course {
  title = $state("");
  scenes: Scene[] = $state.raw([]);
  leftOut: LeftOut[] = $state.raw([]);
  refused: RefusedMessage | null = $state.raw(null);
  readonly session: Session;
  #id: string;
  #seen = "";

  constructor(key: string | null, id: string) {
    this.#id = id;
    const proof = (nonce: string) => prove(key ?? "", "admin", null, nonce);
    this.session = new Session({ role: "admin", room: null, prove: proof }, (message) =>
      this.#hear(message),
    );
  }

  start(): () => void {
    const stop = this.session.start();
    const again = setInterval(() => document.visibilityState === "visible" && this.#ask(), EVERY_MS);
    return () => {
      clearInterval(again);
      stop();
    };
  }

  #ask(): void {
    this.session.send({ type: "preview_case", case: this.#id });
  }

  #hear(message: ServerMessage): void {
    if (message.type === "welcome") this.#ask();
    if (message.type === "refused") this.refused = message;
    if (message.type === "preview") this.#take(message);
  }

  #take(message: PreviewMessage): void {
    this.refused = null;
    const seen = JSON.stringify({ ...message, ref: null });
    if (seen === this.#seen) return;
    this.#seen = seen;
    this.title = message.title;
    this.leftOut = message.left_out;
    // While a broken file is being fixed, the last good version is shown.
    if (message.scenes.length) this.scenes = message.scenes;
  }
}
