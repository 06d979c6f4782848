// Fetched only if several sites play.
export { default as Means } from "./Means.svelte";
export { default as Shares } from "./Shares.svelte";
