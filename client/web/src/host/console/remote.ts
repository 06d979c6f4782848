// The console's side of a presenter's remote.
import type { Note } from "../../room/remote";

/** What a console does for the projector's windows of the same browser. */
export interface Serving {
  dark: () => void;
  /** How many windows of this browser show the projector's page of this room. */
  screens: () => Promise<number>;
  stop: () => void;
}

/** Windows of one browser answer one another within milliseconds, unless it is busy. */
const COUNT_MS = 1500;

export function serve(room: string, next: () => void): Serving {
  const line = new BroadcastChannel(`two-gaps ${room}`);
  const id = String(Math.random());
  let found = 0;
  line.onmessage = ({ data }: MessageEvent<Note>) => {
    if (data.kind === "ask") line.postMessage({ kind: "here", id } satisfies Note);
    if (data.kind === "press" && data.id === id) next();
    if (data.kind === "screen" && data.id === id) found += 1;
  };
  return {
    dark: () => line.postMessage({ kind: "dark", id } satisfies Note),
    screens: async () => {
      found = 0;
      line.postMessage({ kind: "count", id } satisfies Note);
      await new Promise((resolve) => setTimeout(resolve, COUNT_MS));
      return found;
    },
    stop: () => line.close(),
  };
}
