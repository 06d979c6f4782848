// Prints what each page's first load weighs (HTML, CSS and JS, gzip), read from the
// build's manifest, and fails when a page is over its budget. Fonts are not counted.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";

const BUDGET_KB = { index: 40, host: 60, screen: 60, report: 60, preview: 70 };
const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, "utf8"));

function firstLoad(key, seen = new Set()) {
  const entry = manifest[key];
  if (!entry) return seen;
  seen.add(entry.file);
  for (const css of entry.css ?? []) seen.add(css);
  for (const next of entry.imports ?? []) firstLoad(next, seen);
  return seen;
}

let isOver = false;
for (const [page, budget] of Object.entries(BUDGET_KB)) {
  const files = [`${page}.html`, ...firstLoad(`${page}.html`)];
  const bytes = files.reduce(
    (sum, file) => sum + gzipSync(readFileSync(dist + file), { level: 9 }).length,
    0,
  );
  const kb = bytes / 1024;
  isOver ||= kb > budget;
  console.log(`${page.padEnd(7)} ${kb.toFixed(1).padStart(6)} KB of ${budget} KB`);
}
process.exit(isOver ? 1 : 0);
