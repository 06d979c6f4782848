// The language of the page: the one chosen here before, else the browser's, else
// English. `text.t` is the whole catalogue; switching it redraws the page.
import { language } from "../room/memory";
import { en, type Catalogue } from "./en";

export type LanguageCode = "en" | "de";
export const LANGUAGES: Record<LanguageCode, string> = { en: "English", de: "Deutsch" };

// English is always there; another language is fetched when it is wanted.
const LOADERS: Record<LanguageCode, () => Promise<Catalogue>> = {
  en: async () => en,
  de: async () => (await import("./de")).de,
};

class Text {
  /** What brings the strings of other pages along, see staff.svelte.ts. */
  readonly alsoLoad: ((code: LanguageCode) => Promise<void>)[] = [];
  t: Catalogue = $state.raw(en);

  get code(): LanguageCode {
    return this.t.locale as LanguageCode;
  }

  async use(code: LanguageCode): Promise<void> {
    const others = this.alsoLoad.map((load) => load(code));
    const [t] = await Promise.all([LOADERS[code](), ...others]);
    this.t = t;
    document.documentElement.lang = code;
  }

  /** Switch, and remember it. */
  async choose(code: LanguageCode): Promise<void> {
    language.set(code);
    await this.use(code);
  }

  /** The start-up choice. */
  async begin(): Promise<void> {
    const wished = language.get() ?? navigator.languages?.[0] ?? navigator.language;
    const code = wished.toLowerCase().startsWith("de") ? "de" : "en";
    // A language that cannot be fetched now must not keep the page from starting.
    await this.use(code).catch(() => undefined);
  }

  /** A number as this language writes it, at most one decimal. */
  number(value: number): string {
    return value.toLocaleString(this.t.locale, { maximumFractionDigits: 1 });
  }

  /** Names as a sentence lists them. */
  list(names: readonly string[]): string {
    return new Intl.ListFormat(this.t.locale).format(names);
  }

  /** A refusal in the page's language where we have it, else in the server's words. */
  refusal(code: string, detail: string): string {
    return this.t.refusals[code] ?? detail;
  }
}

export const text = new Text();
