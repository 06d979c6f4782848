// What a host steers with beside the big button: fetched once the console stands.
export { default as AddCase } from "./AddCase.svelte";
export { default as Ended } from "./Ended.svelte";
export { default as PlanTools } from "./PlanTools.svelte";
export { default as RoomName } from "./RoomName.svelte";
export { default as Silent } from "./Silent.svelte";
export { default as Then } from "./Then.svelte";
