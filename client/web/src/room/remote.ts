// A presenter's remote, whose keys go to the window in front: often the projector's, which
// may not lead the game. It passes them to a console of the same browser.

export type Press = "next" | "dark";

/** Keys of remotes and keyboards that lead on, and those that make the screen dark. */
const NEXT = new Set([" ", "PageDown", "ArrowRight", "ArrowDown", "Enter"]);
const BACK = new Set(["PageUp", "ArrowLeft", "ArrowUp"]);
const DARK = new Set(["b", "B", "."]);

/** What a key of a remote asks for; "back" asks for nothing, but must not scroll. */
export function pressOf(key: string): Press | "back" | null {
  if (NEXT.has(key)) return "next";
  if (BACK.has(key)) return "back";
  return DARK.has(key) ? "dark" : null;
}

/** Whether the arrow keys move a view that is longer than its window. */
export function scrolls(event: KeyboardEvent): boolean {
  if (!event.key.startsWith("Arrow")) return false;
  for (let at = event.target as Element | null; at; at = at.parentElement) {
    const overflow = getComputedStyle(at).overflowY;
    const canScroll = at === document.documentElement || /auto|scroll/.test(overflow);
    if (canScroll && at.scrollHeight > at.clientHeight + 1) return true;
  }
  return false;
}

interface Note {
  kind: "ask" | "here" | "press" | "dark";
  id: string;
}

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

/** What a projector's window asks of one console: the first that answers. */
export function ask(room: string, dark: () => void): { next: () => void; stop: () => void } {
  const line = new BroadcastChannel(`two-gaps ${room}`);
  let isAsking = false;
  line.onmessage = ({ data }: MessageEvent<Note>) => {
    if (data.kind === "dark") dark();
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
