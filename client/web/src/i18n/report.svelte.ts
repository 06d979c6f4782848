// The words of the report's page, which no other page loads.
import { words as en, type ReportCatalogue } from "./en.report";
import { text, Words } from "./index.svelte";

export const reportText = new Words(en, import.meta.glob<{ words: ReportCatalogue }>(["./??.report.ts", "!./en.report.ts"]), ".report");
text.join(reportText);
