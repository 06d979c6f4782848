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

export interface Note {
  kind: "ask" | "here" | "press" | "dark" | "count" | "screen";
  id: string;
}
