// The strings of the console, which phones never load.
import { enStaff, type StaffCatalogue } from "./en.staff";
import { text } from "./index.svelte";

class StaffText {
  t: StaffCatalogue = $state.raw(enStaff);
}

export const staff = new StaffText();
text.alsoLoad.push(async (code) => {
  staff.t = code === "de" ? (await import("./de.staff")).deStaff : enStaff;
});
