// Replaces a page's loading text with its component.
import { mount, type Component } from "svelte";
import { fetched } from "./fetched";
import { text } from "../i18n/index.svelte";

export async function begin(page: Component): Promise<void> {
  await text.begin();
  const target = document.getElementById("app")!;
  target.replaceChildren();
  mount(page, { target });
  void fetched(() => import("./translated")).then((part) => part.keepTranslated());
}
