// The projector's side of a presenter's remote.
import type { Note } from "../room/remote";

/** What a projector's window asks of one console: the first that answers. */
export function ask(room: string, dark: () => void): { next: () => void; stop: () => void } {
  const line = new BroadcastChannel(`two-gaps ${room}`);
  let isAsking = false;
  line.onmessage = ({ data }: MessageEvent<Note>) => {
    if (data.kind === "dark") dark();
    if (data.kind === "count") line.postMessage({ kind: "screen", id: data.id } satisfies Note);
    if (data.kind !== "here" || !isAsking) return;
    isAsking = false;
    line.postMessage({ kind: "press", id: data.id } satisfies Note);
  };
  return {
    next: () => {
      isAsking = true;
      line.postMessage({ kind: "ask", id: "" } satisfies Note);
    },
    stop: () => line.close(),
  };
}
