"""The one stylesheet of every page and picture: quiet, light or dark as the reader's system, printable."""

STYLE = """
:root { color-scheme: light dark;
  --paper: #fbfaf8; --surface: #ffffff; --ink: #1c2430; --quiet: #5c6573; --line: #e4e1db; --wash: #f3f1ed;
  --accent: #1f5fa8; --on-accent: #ffffff; --good: #1a7a4c; --warn: #b3480f; --edge: rgba(28, 36, 48, 0.3); }
@media (prefers-color-scheme: dark) { :root {
  --paper: #13161b; --surface: #1a1e25; --ink: #e5e8ec; --quiet: #9ba4b0; --line: #2e343e; --wash: #20252d;
  --accent: #75aef5; --on-accent: #0c1117; --good: #63c794; --warn: #f09a5b; --edge: rgba(229, 232, 236, 0.35); } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system,
  "Segoe UI",
  Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums;
  overflow-wrap: anywhere; }
main { max-width: 1160px; margin: 0 auto; padding: 40px 24px 80px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 8px; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 0 0 4px; font-weight: 650; }
h3 { font-size: 15px; margin: 24px 0 8px; font-weight: 650; }
p { margin: 0 0 12px; max-width: 75ch; }
a { color: var(--accent); text-underline-offset: 3px; }
code { font: 0.92em ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
pre { margin: 0; padding: 16px; background: var(--wash); border-radius: 8px; overflow-x: auto; line-height:
  1.45;
  overflow-wrap: normal; }
section { margin-top: 32px; padding: 24px; background: var(--surface); border: 1px solid var(--line);
  border-radius: 12px; }
header .over { color: var(--quiet); margin: 0 0 4px; font-size: 14px; }
header .lead { font-size: 18px; max-width: 70ch; }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-top: 20px; font-size: 14px; }
nav a { color: var(--quiet); text-decoration: none; }
nav a:hover { color: var(--accent); text-decoration: underline; }
.quiet, figcaption { color: var(--quiet); font-size: 14px; }
.good { color: var(--good); } .warn { color: var(--warn); }
.verdict { font-weight: 650; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 16px 24px;
  margin: 24px 0;
  padding: 20px 0; border: solid var(--line); border-width: 1px 0; }
.facts dt { color: var(--quiet); font-size: 13px; } .facts dd { margin: 0; font-size: 21px; font-weight:
  600; }
.facts small { display: block; color: var(--quiet); font-size: 13px; font-weight: 400; }
.next { margin: 16px 0 0; padding: 0 0 0 20px; } .next li { margin-bottom: 6px; max-width: 75ch; }
.pictures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap:
  24px 40px; }
.pictures.top { align-items: start; }
.beside { display: grid; grid-template-columns: minmax(0, 1fr) 290px; gap: 16px 28px; align-items: start; }
svg.seen { max-width: 100%; height: auto; }
figure { margin: 16px 0 0; min-width: 0; } figcaption { margin-bottom: 4px; }
.scroll { overflow-x: auto; background: linear-gradient(to right, var(--surface) 40%, transparent) left / 40px
  100% no-repeat local, linear-gradient(to left, var(--surface) 40%, transparent) right / 40px 100% no-repeat local,
  linear-gradient(to right, var(--edge), transparent) left / 16px 100% no-repeat scroll,
  linear-gradient(to left, var(--edge), transparent) right / 16px 100% no-repeat scroll; }
.scroll table { overflow-wrap: break-word; }
.foot { margin-top: 8px; } .aside { padding-top: 32px; }
table.plain { border-collapse: collapse; width: 100%; font-size: 14px; }
table.plain th { text-align: left; color: var(--quiet); font-weight: 500; font-size: 13px; vertical-align:
  bottom; }
table.plain th, table.plain td { padding: 6px 16px 6px 0; border-bottom: 1px solid var(--line); }
table.plain td { vertical-align: top; } table.plain tr:last-child td { border-bottom: 0; }
table.plain .n { text-align: right; white-space: nowrap; } table.plain .name { white-space: nowrap; }
table.plain .text { min-width: 260px; }
table.plain th:last-child, table.plain td:last-child { padding-right: 0; }
table.plain small { color: var(--quiet); font-size: 12.5px; }
svg.chart { display: block; width: 100%; max-width: 500px; height: auto; font: 12px system-ui, -apple-system,
  "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; font-variant-numeric: tabular-nums; }
svg.chart.fixed { width: auto; max-width: none; }
svg text { fill: var(--ink); } svg .quiet { fill: var(--quiet); font-size: 12px; } svg .strong {
  font-weight: 650; }
svg .grid { stroke: var(--line); stroke-width: 1; } svg .axis { stroke: var(--quiet); stroke-width: 1; }
svg .limit { stroke: var(--warn); stroke-width: 1.2; stroke-dasharray: 5 4; } svg .limit-name { fill:
  var(--warn); }
svg polyline { fill: none; } svg .fits { fill: var(--good); fill-opacity: 0.07; }
svg .main { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linejoin: round; }
svg .other { fill: none; stroke: var(--quiet); stroke-width: 1.6; stroke-dasharray: 2 3; stroke-linejoin:
  round; }
svg .dot { fill: var(--quiet); } svg .dot.chosen { fill: var(--accent); }
svg .dot.faint { fill: var(--accent); fill-opacity: 0.4; }
svg .span { stroke: var(--quiet); stroke-width: 1.4; } svg .span.chosen { stroke: var(--accent);
  stroke-width: 2; }
svg .bar { fill: var(--accent); } svg .wash { fill: var(--wash); } svg .right { fill: var(--accent); }
svg .wrong { fill: var(--warn); } svg .inverse { fill: var(--on-accent); }
@media (max-width: 760px) {
  main { padding: 24px 14px 48px; } section { padding: 18px 14px; margin-top: 20px; border-radius: 10px; }
  h1 { font-size: 22px; } header .lead { font-size: 17px; } .beside { grid-template-columns: minmax(0, 1fr); }
  .facts { grid-template-columns: 1fr 1fr; gap: 14px 16px; } .facts dd { font-size: 19px; }
  table.stack thead { display: none; } table.stack tr { display: block; padding: 10px 0; border-bottom: 1px
  solid
    var(--line); } table.stack td { display: block; border: 0; padding: 1px 0; text-align: left; }
  table.stack .n { text-align: left; } table.stack .text { min-width: 0; margin-bottom: 4px; }
  table.stack td:not(.text)::before { content: attr(data-head) ": "; color: var(--quiet); } }
@media print {
  :root { --paper: #fff; --surface: #fff; --ink: #000; --quiet: #444; --line: #ccc; --wash: #f4f4f4;
    --accent: #1f5fa8; --on-accent: #fff; --good: #1a7a4c; --warn: #b3480f; }
  @page { margin: 14mm 13mm; }
  body { font-size: 12px; } main { padding: 0; max-width: none; } nav, .flip { display: none; }
  section { margin-top: 14px; } .beside { grid-template-columns: 1fr; }
  .pictures { grid-template-columns: 1fr 1fr; gap: 14px 20px; }
  thead, table.stack thead { display: table-header-group; }
  table { font-size: 10px !important; } th, td { padding: 3px 8px 3px 0 !important; position: static !important; }
  th[style], td[style] { white-space: normal !important; }
  svg.chart, svg.chart.fixed, svg.chart.wide, svg.seen { max-width: 100%; min-width: 0; height: auto; }
  p, li { orphans: 3; widows: 3; } li, dl.facts, .item { break-inside: avoid; }
  a { color: inherit; text-decoration: none; }
  section { border: 0; padding: 0; } figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .scroll, pre { overflow: visible !important; background: none; } pre { white-space: pre-wrap; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
"""

PLAIN_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""Of every page: even if text from outside slipped through unescaped, the browser would neither run nor load anything.
"""
POLICY = f"{PLAIN_POLICY}; img-src data:"
"""Of every page with pictures."""
