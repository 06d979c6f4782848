// What the console fetches only if several sites play.
export { default as Held } from "./Held.svelte";
export { default as Measured } from "./Measured.svelte";
export { default as Sites } from "./Sites.svelte";
