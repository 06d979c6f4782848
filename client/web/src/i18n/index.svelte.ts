// The language of the page: the one chosen here before, else the browser's, else
// English. `text.t` is the whole catalogue; switching it redraws the page.
//
// A language is four files beside this one: xx.ts, xx.late.ts, xx.staff.ts and
// xx.report.ts. Nothing else names it. English is always there; files of another language
// are fetched when they are needed.
import { language } from "../room/memory";
import type { Sentence } from "../protocol";
import { words as en, type Catalogue } from "./en";

type Files<T> = Record<string, () => Promise<{ words: T }>>;

const FILES = import.meta.glob<{ words: Catalogue }>(["./??.ts", "!./en.ts"]);

/** The codes of all languages, and what each calls itself. */
export const LANGUAGES: Record<string, string> = Object.fromEntries(
  ["en", ...Object.keys(FILES).map((file) => file.slice(2, 4))].map((code) => [code, nameOf(code)]),
);

function nameOf(code: string): string {
  const name = new Intl.DisplayNames([code], { type: "language" }).of(code) ?? code;
  return name.charAt(0).toLocaleUpperCase(code) + name.slice(1);
}

/** One part of the words, in the language of the page. */
export class Words<T> {
  t: T = $state.raw() as T;
  readonly #english: T;
  readonly #files: Files<T>;
  readonly #part: string;

  /** `part` is what stands between the code and ".ts" in the names of its files. */
  constructor(english: T, files: Files<T>, part: string) {
    this.t = english;
    this.#english = english;
    this.#files = files;
    this.#part = part;
  }

  /** Fetch a language; return what shows it. */
  async fetch(code: string): Promise<() => void> {
    const file = this.#files[`./${code}${this.#part}.ts`];
    const t = file ? (await file()).words : this.#english;
    return () => (this.t = t);
  }
}

/** What a sentence of the server says beside its words: sentences in it are already in its language. */
type Said = Record<string, string | number>;

/** The server's sentences by their keys. English has none: the server's text is English. */
export type Sentences = Record<string, (said: Said) => string>;

/** What any part of the words may have. */
interface Shared {
  /** The buttons of commands, by the command's type. */
  commands?: Record<string, string>;
  sentences?: Sentences;
}

class Text {
  readonly #main = new Words(en, FILES, "");
  #parts: readonly Words<unknown>[] = $state.raw([this.#main as Words<unknown>]);

  get t(): Catalogue {
    return this.#main.t;
  }

  get code(): string {
    return this.t.locale;
  }

  /** Settled once every part that has joined is there. */
  joined: Promise<unknown> = Promise.resolve();

  /** Let a part of the words follow the language, from the present one on. */
  join<T>(part: Words<T>): void {
    this.#parts = [...this.#parts, part as Words<unknown>];
    // A language that cannot be fetched now: the part stays English.
    const shown = part.fetch(this.code).then((show) => show(), () => undefined);
    this.joined = Promise.all([this.joined, shown]);
  }

  async use(code: string): Promise<void> {
    for (const show of await Promise.all(this.#parts.map((part) => part.fetch(code)))) show();
    document.documentElement.lang = code;
  }

  /** Switch, and remember it. */
  async choose(code: string): Promise<void> {
    language.set(code);
    await this.use(code);
  }

  /** The start-up choice. */
  async begin(): Promise<void> {
    const wished = language.get() ?? navigator.languages?.[0] ?? navigator.language;
    const code = wished.slice(0, 2).toLowerCase();
    // A language that cannot be fetched now must not keep the page from starting.
    await this.use(code in LANGUAGES ? code : "en").catch(() => undefined);
  }

  /** A number as this language writes it, at most one decimal. */
  number(value: number): string {
    return value.toLocaleString(this.t.locale, { maximumFractionDigits: 1 });
  }

  /** Names as a sentence lists them. */
  list(names: readonly string[]): string {
    return new Intl.ListFormat(this.t.locale).format(names);
  }

  /** What the button of a command says, in whichever part of the words names it. */
  button(command: string): string {
    const named = this.#parts.map((part) => (part.t as Shared).commands?.[command]);
    return named.find(Boolean) ?? command.replaceAll("_", " ");
  }

  /** A refusal in the page's language if we have it, else in the server's words. */
  refusal(code: string, detail: string): string {
    return this.t.refusals[code] ?? detail;
  }

  /** A sentence of the server in the page's language if we have it. */
  sentence(one: Sentence): string {
    const says = this.#parts.map((part) => (part.t as Shared).sentences?.[one.key]);
    const values = Object.entries(one.values).map(([name, value]) => [
      name,
      typeof value === "object" ? this.sentence(value) : value,
    ]);
    return says.find(Boolean)?.(Object.fromEntries(values)) ?? one.text;
  }
}

export const text = new Text();
