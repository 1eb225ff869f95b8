// The looks of a report: one sheet for light and dark, from a phone to a wide screen.

export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --panel: #f6f8fa; --text: #1f2328; --quiet: #59636e; --edge: #d1d9e0;
  --first: #0969da; --second: #bc4c00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --panel: #171c23; --text: #e6edf3; --quiet: #9aa4af; --edge: #313a45;
    --first: #58a6ff; --second: #ffa657;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1360px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 48px 0 12px; padding-bottom: 6px; border-bottom: 1px solid var(--edge); }
h3 { font-size: 1rem; margin: 24px 0 8px; }
p { margin: 0 0 12px; max-width: 75ch; }
p.wide { max-width: none; }
.quiet, figcaption, .interval { color: var(--quiet); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; }
.tile { background: var(--panel); border: 1px solid var(--edge); border-radius: 8px; padding: 12px 14px; }
.tile b { display: block; font-size: 1.5rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tile span { font-size: .85rem; color: var(--quiet); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 16px; }
figure { margin: 0; }
.chart { background: var(--panel); border: 1px solid var(--edge); border-radius: 8px; padding: 12px; }
.chart figcaption { font-size: .9rem; color: var(--text); margin-bottom: 4px; }
.chart svg { display: block; width: 100%; height: auto; }
.chart text { font: 11px system-ui, sans-serif; fill: var(--quiet); }
.chart .note { fill: var(--text); }
.grid { stroke: var(--edge); stroke-width: .6; }
.axis { stroke: var(--quiet); }
.rule { stroke: var(--quiet); stroke-dasharray: 4 3; }
.line { fill: none; stroke-width: 1.7; stroke-linejoin: round; }
.line-0 { stroke: var(--first); } .line-1 { stroke: var(--second); }
.dot-0 { fill: var(--first); } .dot-1 { fill: var(--second); }
.band { fill: var(--first); opacity: .18; }
.legend { font-size: .85rem; color: var(--quiet); margin-left: 8px; }
.key { display: inline-block; width: 10px; height: 10px; border-radius: 3px; margin: 0 5px 0 10px; }
.key-0 { background: var(--first); } .key-1 { background: var(--second); }
.scroll { overflow-x: auto; margin-bottom: 12px; border: 1px solid var(--edge); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: right; white-space: nowrap; border-top: 1px solid var(--edge); }
thead th { border-top: 0; background: var(--panel); font-weight: 600; }
th.label, td.label { text-align: left; }
.interval { display: block; font-size: .78rem; }
.swatch { display: inline-block; width: 12px; height: 12px; border-radius: 3px; border: 1px solid var(--edge); vertical-align: -1px; margin: 0 4px 0 12px; }
.entry { display: inline-block; }
.image { margin: 0 0 28px; }
.strip { display: grid; grid-template-columns: repeat(4, 1fr); gap: 8px; }
.strip img { display: block; width: 100%; height: auto; border-radius: 6px; background: #000; }
.strip figure:has(:checked) { grid-column: 1 / -1; max-width: 900px; }
.strip label { display: block; cursor: zoom-in; }
.strip label:has(:checked) { cursor: zoom-out; }
.strip label:has(:focus-visible) { outline: 3px solid var(--first); outline-offset: 2px; border-radius: 6px; }
.strip input { position: absolute; opacity: 0; pointer-events: none; }
.strip figcaption { font-size: .8rem; margin-top: 3px; }
@media (max-width: 760px) { .strip { grid-template-columns: repeat(2, 1fr); } }
details { border: 1px solid var(--edge); border-radius: 8px; padding: 8px 14px; margin-top: 12px; }
summary { cursor: pointer; }
pre { overflow-x: auto; font-size: .82rem; line-height: 1.45; }
@media print { .image, .chart, .tile { break-inside: avoid; } }
`;
