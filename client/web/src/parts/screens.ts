// Finds the screen of a phase: a folder of phases is all there is to list.
import type { Component } from "svelte";
import type { PrivateView } from "../protocol";
import type { Stage } from "../room/model";

/** A piece of an announcement: in the page's language, in that of the deck, or with
    people's names, which no browser may translate. */
export type Piece = string | { deck: string } | { says: string; names: readonly string[] };

/** A .svelte file of a phase. */
export interface Screen<P extends object> {
  default: Component<P>;
  /** What a screen reader announces when the phase begins, or goes on. */
  announce?: (stage: Stage, you: PrivateView | null) => Piece | Piece[];
}

/** Find the screen of a phase among the files of a folder: the file of its name, or for the
    reveal of a ballot that of the ballot; `Story.svelte` shows every other phase. */
export function screenFinder<P extends object>(
  files: Record<string, Screen<P>>,
): (phase: Stage["phase"]) => Screen<P> {
  const named = (phase: string) => files[`./${pascal(phase)}.svelte`];
  return (phase) => {
    const screen = named(phase) ?? named(phase.replace("_reveal", "")) ?? named("story");
    if (!screen) throw new Error(`No screen shows the phase ${phase}.`);
    return screen;
  };
}

/** `transfer_reveal` as `TransferReveal`. */
const pascal = (phase: string) =>
  phase.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
