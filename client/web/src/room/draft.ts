// What a person has typed and not sent: it survives a reload on this device, and belongs
// to one player, in one phase.
import { item } from "./memory";
import type { Session } from "./session.svelte";

export interface Draft {
  get: () => string | null;
  /** Null, or what is sent already: there is no draft. */
  set: (text: string | null) => void;
}

export type Drafts = typeof draft;

/** The draft of a text in one place, such as "2 vote". There is one of a kind: another
    takes its place. */
export function draft(kind: "reason" | "sentence" | "challenge", session: Session, where: string): Draft {
  const key = `draft ${kind}`;
  const { room, token } = session.identity;
  const place = `${room} ${token?.split(".")[0]} ${where}`;
  return {
    get() {
      const [at, ...text] = (item.get(key) ?? "").split("\n");
      return at === place ? text.join("\n") : null;
    },
    set(text) {
      if (text !== null) item.set(key, `${place}\n${text}`);
      else if (item.get(key)?.startsWith(`${place}\n`)) item.set(key, null);
    },
  };
}
