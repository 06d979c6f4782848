// The menu, and all phases: fetched right after the first paint, as one file.
export { default as Lobby } from "./Lobby.svelte";
export { default as Menu } from "../Menu.svelte";
export { default as Contrast } from "./Contrast.svelte";
export { default as Example } from "./Example.svelte";
export { default as Finished } from "./Finished.svelte";
export { default as Fix } from "./Fix.svelte";
export { default as Reveal } from "./Reveal.svelte";
export { default as Say } from "./Say.svelte";
export { default as StoryPhase } from "./StoryPhase.svelte";
export { default as Transfer } from "./Transfer.svelte";
export { default as TransferReveal } from "./TransferReveal.svelte";
