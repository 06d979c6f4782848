// The console's side of a presenter's remote.
import type { Note } from "../../room/remote";

/** What a console does for the projector's windows of the same browser. */
export function serve(room: string, next: () => void): { dark: () => void; stop: () => void } {
  const line = new BroadcastChannel(`two-gaps ${room}`);
  const id = String(Math.random());
  line.onmessage = ({ data }: MessageEvent<Note>) => {
    if (data.kind === "ask") line.postMessage({ kind: "here", id } satisfies Note);
    if (data.kind === "press" && data.id === id) next();
  };
  return {
    dark: () => line.postMessage({ kind: "dark", id } satisfies Note),
    stop: () => line.close(),
  };
}
