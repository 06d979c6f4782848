// Fetches a part of the page, again and again until the network lets it through. While any
// part is on its way, the root has `data-fetching`: a page that lacks a part is not yet
// what it will look like.
import { text } from "../i18n/index.svelte";

const AGAIN_MS = 1500;

let pending = 0;

function count(by: 1 | -1): void {
  pending += by;
  document.documentElement.toggleAttribute("data-fetching", pending > 0);
}

export async function fetched<T>(load: () => Promise<T>): Promise<T> {
  count(1);
  for (;;) {
    try {
      const part = await load();
      await text.joined; // its words in the language of the page, if it brings some
      count(-1);
      return part;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
