// The strings of the report's page, which no other page loads.
import { enReport, type ReportCatalogue } from "./en.report";
import { text } from "./index.svelte";

class ReportText {
  t: ReportCatalogue = $state.raw(enReport);
}

export const reportText = new ReportText();
text.alsoLoad.push(async (code) => {
  reportText.t = code === "de" ? (await import("./de.report")).deReport : enReport;
});
