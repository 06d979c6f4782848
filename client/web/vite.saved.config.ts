import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vite";
import { singleFile } from "./scripts/single-file.ts";

// The report as one file, into which the server writes its figures. The name ends in no
// type that the server answers with, so it is not a page of its own.
export default defineConfig({
  plugins: [svelte(), singleFile("saved-report.html", "saved-report.template")],
  build: {
    cssCodeSplit: false,
    emptyOutDir: false,
    modulePreload: false,
    rolldownOptions: { input: "saved-report.html", output: { codeSplitting: false } },
    target: "es2022",
  },
});
