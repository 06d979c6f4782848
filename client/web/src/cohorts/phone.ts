// The sites as a phone or a laptop shows them: all of them, in numbers.
export { default as Means } from "./Means.svelte";
export { default as Shares } from "./Shares.svelte";
