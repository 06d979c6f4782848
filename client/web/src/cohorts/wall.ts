// The sites as a wall shows them: to be read from ten meters, whatever they are called.
export { default as Means } from "./WallMeans.svelte";
export { default as Shares } from "./WallShares.svelte";
