// The charts of the sites: fetched only if several sites play, and once for a page.
import { fetched } from "../parts/fetched";

let phone: Promise<typeof import("./phone")> | undefined;
let wall: Promise<typeof import("./wall")> | undefined;

export const onPhones = () => (phone ??= fetched(() => import("./phone")));
export const onWalls = () => (wall ??= fetched(() => import("./wall")));
