// What no round begins with: fetched right after the first paint, as one file.
export { default as Finished } from "./Finished.svelte";
export { default as Fix } from "./Fix.svelte";
export { default as Say } from "./Say.svelte";
export { default as Worked } from "./Worked.svelte";
