// Fetches a part of the page, again and again until the network lets it through.
import { text } from "../i18n/index.svelte";

const AGAIN_MS = 1500;

export async function fetched<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const part = await load();
      await text.joined; // its words in the language of the page, if it brings some
      return part;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}
