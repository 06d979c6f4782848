// The report's side of the wire: the host's session, the latest report, and files.
import { ConsoleSession } from "../host/console/session.svelte";
import { text } from "../i18n/index.svelte";
import { bytesOf, keep } from "../parts/keep";
import type { FileMessage, GetReport, RefusedMessage, Report, ServerMessage } from "../protocol";
import { hasDecimalComma, withSemicolons } from "./semicolons";

export type Form = Exclude<GetReport["form"], "page">;

/** Phases that begin with something new to report. */
const TELLING = new Set(["reveal", "fix_reveal", "transfer_reveal", "finished"]);

export class ReportDesk {
  readonly console: ConsoleSession;
  report: Report | null = $state.raw(null);
  /** Why the latest report could not be made. */
  failed: RefusedMessage | null = $state.raw(null);
  isAsking = $state(false);
  /** The file that is being made, or the name of the one that was saved last. */
  making: Form | null = $state(null);
  saved: string | null = $state(null);
  /** The next lesson, once it is open, with the key of its console. */
  next: { room: string; key: string } | null = $state.raw(null);
  isOpening = $state(false);
  /** Why no next lesson was opened. */
  refusedNext: RefusedMessage | null = $state.raw(null);
  #nextRef: number | null = null;
  #pageRef: number | null = null;
  #fileRef: number | null = null;
  #place = "";
  #isStale = false;

  constructor(room: string, key: string) {
    this.console = new ConsoleSession(room, key, (message) => this.#hear(message));
  }

  get session() {
    return this.console.session;
  }

  start(): () => void {
    return this.console.start();
  }

  save(form: Form, reader: GetReport["reader"], reasons: boolean): void {
    this.failed = this.saved = null;
    this.#fileRef = this.session.send({ type: "get_report", form, reader, reasons });
    this.making = this.#fileRef === null ? null : form;
  }

  openNext(): void {
    this.refusedNext = null;
    this.#nextRef = this.session.send({ type: "open_next", same: false });
    this.isOpening = this.#nextRef !== null;
  }

  #ask(): void {
    if (this.isAsking) {
      this.#isStale = true;
      return;
    }
    this.#isStale = false;
    const ask = { type: "get_report", form: "page", reader: "host", reasons: false } as const;
    this.#pageRef = this.session.send(ask);
    this.isAsking = this.#pageRef !== null;
  }

  #hear(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.isAsking = this.isOpening = false;
        this.making = null;
        this.#place = "";
        return;
      case "host_view":
        this.#move(message.view.stage.phase, message.view.stage.room.round);
        return;
      case "report":
        if (message.ref === this.#pageRef) this.#take(message.report);
        return;
      case "file":
        if (message.ref === this.#fileRef) this.#keep(message);
        return;
      case "room_opened":
        if (message.ref !== this.#nextRef || !message.host_key) return;
        this.isOpening = false;
        this.next = { room: message.room, key: message.host_key };
        return;
      case "refused":
        this.#refuse(message);
        return;
      default:
    }
  }

  /** Ask again if a round has been revealed since. */
  #move(phase: string, round: number | null): void {
    const place = `${phase} ${round}`;
    const isFirst = this.#place === "";
    if (place === this.#place) return;
    this.#place = place;
    if (isFirst || TELLING.has(phase)) this.#ask();
  }

  #take(report: Report): void {
    this.report = report;
    this.failed = null;
    this.isAsking = false;
    if (this.#isStale) this.#ask();
  }

  #keep(file: FileMessage): void {
    this.making = null;
    this.saved = file.name;
    const bytes = bytesOf(file.content);
    const isToChange = file.name.endsWith(".csv") && hasDecimalComma(text.code);
    const csv = () => withSemicolons(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
    keep(isToChange ? csv() : bytes, file.media, file.name);
  }

  #refuse(refused: RefusedMessage): void {
    const { ref } = refused;
    if (ref !== null && ref === this.#nextRef) {
      this.isOpening = false;
      this.refusedNext = refused;
      return;
    }
    if (ref === null || (ref !== this.#pageRef && ref !== this.#fileRef)) return;
    if (ref === this.#pageRef) this.isAsking = false;
    else this.making = null;
    this.failed = refused;
  }
}
