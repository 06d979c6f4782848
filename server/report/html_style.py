"""The look of the report's file: quiet, dense, light and dark, on screen and on A4."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #fff; --ink: #16181d; --soft: #565b66; --line: #d6d9df; --wash: #f4f5f7;
  --outer: #b36a00; --outer-fill: #e69f00; --inner: #0072b2; --warn: #8f2d1e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14161a; --ink: #eceef2; --soft: #a9afbb; --line: #3a3f49;
    --wash: #1d2026; --outer: #f0b03a; --outer-fill: #e69f00; --inner: #6bb8ea;
    --warn: #ff9c8a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 32px 24px 64px; max-width: 880px;
  background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
h1 { margin: 0; font-size: 26px; line-height: 1.2; }
h2 { margin: 40px 0 8px; padding-top: 12px; border-top: 1px solid var(--line);
  font-size: 18px; }
h3 { margin: 20px 0 4px; font-size: 15px; }
p { margin: 6px 0; max-width: 68ch; }
p.meta { max-width: none; }
.meta, .note, caption, figcaption { color: var(--soft); font-size: 13px; }
.brand { color: var(--soft); font-size: 13px; letter-spacing: .04em; }
.sentence { margin: 20px 0 12px; font-size: 21px; line-height: 1.35; max-width: 40em; }
ul { margin: 6px 0; padding-left: 20px; }
li { margin: 3px 0; max-width: 68ch; }
.care { margin: 16px 0; padding: 10px 16px; background: var(--wash);
  border-left: 3px solid var(--soft); }
.care h2 { margin: 0; padding: 0; border: 0; font-size: 14px; }
table { border-collapse: collapse; margin: 8px 0; font-variant-numeric: tabular-nums; }
table.wide { width: 100%; }
caption { text-align: left; padding-bottom: 4px; }
th, td { padding: 4px 8px; text-align: right; vertical-align: middle;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; font-size: 13px; color: var(--soft); vertical-align: bottom; }
th:first-child, td:first-child, .left { text-align: left; }
td.chart { padding: 0 4px; width: 240px; }
td .sub, .range { color: var(--soft); font-size: 12px; white-space: nowrap; }
.why { color: var(--soft); font-size: 13px; }
.flag { color: var(--warn); font-weight: 600; }
.outer { color: var(--outer); } .inner { color: var(--inner); }
.pair { display: flex; flex-wrap: wrap; gap: 8px 40px; align-items: flex-start; }
.pair > * { flex: 1 1 320px; }
.pair figcaption { max-width: 300px; }
figure { margin: 8px 0; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--soft); font: 12px system-ui, "Segoe UI", Roboto, sans-serif; }
svg .axis { stroke: var(--line); } svg .zero { stroke: var(--soft); }
svg .whisker { stroke: var(--ink); stroke-width: 1.5; }
svg .band { stroke: var(--line); stroke-width: 7; }
svg .dot { fill: var(--ink); } svg .hollow { fill: var(--ground); stroke: var(--ink);
  stroke-width: 1.5; }
svg .move { stroke: var(--ink); stroke-width: 1.5; }
svg .ideal { stroke: var(--soft); stroke-dasharray: 4 4; }
svg .o { fill: var(--ground); stroke: var(--outer-fill); stroke-width: 3; }
svg .i { fill: var(--inner); }
b.name { font-weight: 500; }
.bar { display: block; height: 5px; margin-top: 2px; background: var(--wash); }
.bar i { display: block; height: 5px; background: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px;
  font-size: 13px; } dt { font-weight: 600; } dd { margin: 0; color: var(--soft); }
.scroll { overflow-x: auto; }
@media (max-width: 560px) { body { padding: 20px 14px; } th, td { padding: 4px 5px; } }
@media print {
  :root { color-scheme: light; --ground: #fff; --ink: #000; --soft: #444;
    --line: #bbb; --wash: #f2f2f2; --outer: #8a5200; --inner: #00558a;
    --warn: #8f2d1e; }
  @page { size: A4; margin: 16mm 15mm; }
  body { padding: 0; max-width: none; font-size: 10.5pt; }
  h2, h3 { break-after: avoid; } td.chart { width: 150px; }
  tr, figure, .care { break-inside: avoid; }
  thead { display: table-header-group; } .scroll { overflow: visible; }
}
"""
"""Inline on purpose: the report is one file that opens from a mail."""
