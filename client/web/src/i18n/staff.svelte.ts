// The strings of the console and the report, which phones never load.
import { enStaff, type StaffCatalogue } from "./en";
import { text } from "./index.svelte";

class StaffText {
  t: StaffCatalogue = $state.raw(enStaff);
}

export const staff = new StaffText();
text.onLoad = (loaded) => (staff.t = loaded ?? enStaff);
