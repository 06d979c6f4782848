// The words of the console, which phones never load.
import { words as en, type StaffCatalogue } from "./en.staff";
import { text, Words } from "./index.svelte";

export const staff = new Words(en, import.meta.glob<{ words: StaffCatalogue }>(["./??.staff.ts", "!./en.staff.ts"]), ".staff");
text.join(staff);
