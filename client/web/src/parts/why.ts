// Why a page gets no live connection: it asks by a plain request, which most of what
// blocks the connection lets through.
export type Cause = "server" | "origin" | "upgrade" | "busy" | "filter";

export interface Why {
  cause: Cause;
  /** The host name under which the server is asked. */
  host: string;
}

const PATIENCE_MS = 3000;
const CAUSES: Record<string, Cause> = {
  origin: "origin",
  upgrade: "upgrade",
  full: "busy",
  stopping: "busy",
};

/** The server's answer to "why", read: without a reason, nothing arrived there. */
export function causeOf(reason: unknown): Cause {
  return CAUSES[String(reason)] ?? "filter";
}

export async function why(origin: string): Promise<Why> {
  const late = new Promise<never>((_, reject) => setTimeout(reject, PATIENCE_MS));
  const url = `/why.json?origin=${encodeURIComponent(origin)}`;
  const asked = fetch(url, { cache: "no-store" }).then((answer) => answer.json());
  try {
    const { reason, host } = (await Promise.race([asked, late])) as Record<string, string>;
    return { cause: causeOf(reason), host: host ?? "" };
  } catch {
    return { cause: "server", host: "" };
  }
}
