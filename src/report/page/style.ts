// The style sheet of the HTML report: light and dark from the system, readable on a phone, printable.
// Method marks differ in shape (filled, half, hatched, hollow), never in colour alone.

import { trusted } from "../markup.ts";

/** The palette of charts, light and dark; each stands 3:1 or more against the page (WCAG 1.4.11). */
const PALETTE: readonly (readonly [light: string, dark: string])[] = [
  ["#1667a8", "#6cb2f1"],
  ["#127a57", "#46c79d"],
  ["#b9500b", "#f0985c"],
  ["#8247b0", "#c49dee"],
  ["#7d6300", "#d6b93f"],
  ["#b82f64", "#f286ad"],
  ["#0b7480", "#54c5d2"],
  ["#5b6472", "#a5aebb"],
];

const palette = PALETTE.map(
  ([light, dark], index) => `.k${index}{--k:light-dark(${light},${dark})}`,
).join("\n");

export const STYLE = trusted(`
:root{color-scheme:light dark;
  --page:light-dark(#fcfbf8,#11161b);--card:light-dark(#ffffff,#181f26);
  --ink:light-dark(#16202a,#e8edf2);--soft:light-dark(#51606e,#a3b0bd);
  --line:light-dark(#e2e0d8,#2b353f);--accent:light-dark(#0d6b52,#4fd0a8);
  --warn:light-dark(#8a4b00,#f3b760);--wash:light-dark(#fff6e5,#2b2415);
  --shade:light-dark(#e9f1ee,#1d2a2b)}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);
  font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
  font-variant-numeric:tabular-nums;-webkit-text-size-adjust:100%}
header,main,footer{max-width:61rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2rem}
.brand{margin:0;color:var(--accent);font-weight:700;letter-spacing:.02em}
.brand small{color:var(--soft);font-weight:400;letter-spacing:0;font-size:.875rem;margin-left:.5rem}
h1{font-size:clamp(1.5rem,4vw,2.125rem);line-height:1.2;margin:.5rem 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.1875rem;margin:0 0 .25rem}
p{margin:.25rem 0 .75rem;max-width:70ch}
.soft,figcaption,caption{color:var(--soft);font-size:.875rem}
code{font:.875em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
  overflow-wrap:anywhere}
pre{margin:.75rem 0 0;padding:.625rem .875rem;border-radius:6px;background:var(--shade);white-space:pre-wrap}
section{margin:2.25rem 0 0}
.tiles{display:flex;flex-wrap:wrap;gap:1px;margin:1.5rem 0 0;background:var(--line);
  border:1px solid var(--line);border-radius:10px;overflow:hidden}
.tiles>div{background:var(--card);padding:1rem 1.125rem;flex:1 1 9.5rem}
.tiles>.lead{flex:1.7 1 18rem}
.tiles.small{display:grid;grid-template-columns:repeat(auto-fill,minmax(13rem,1fr));margin-top:1rem;gap:0;background:var(--card)}
.tiles.small>div{padding:.75rem 1.125rem}
dt{color:var(--soft);font-size:.875rem}
dd{margin:0}
.value{display:block;font-size:1.5rem;font-weight:650;line-height:1.25;white-space:nowrap}
.small .value{font-size:1.125rem}
.lead .value{font-size:clamp(2.125rem,6vw,2.875rem);letter-spacing:-.02em;line-height:1.1}
.range{display:block;color:var(--soft);font-size:.875rem}
.method{font-size:.875rem;color:var(--soft);white-space:nowrap}
.method::before{content:"";display:inline-block;width:.6875rem;height:.6875rem;margin-right:.375rem;vertical-align:-.0625rem;
  border:1.5px solid var(--ink);border-radius:2px}
.method.measured::before{background:var(--ink)}
.method.sampled::before{background:linear-gradient(135deg,var(--ink) 50%,transparent 50%)}
.method.estimated::before{background:repeating-linear-gradient(135deg,var(--ink) 0 1.5px,transparent 1.5px 4px)}
.method.declared::before{border-radius:50%}
.notice{margin:1.25rem 0 0;padding:.75rem 1rem;background:var(--wash);border-left:4px solid var(--warn);border-radius:0 6px 6px 0}
.notice section{margin:0}
.notice ul{margin:.25rem 0 0;padding-left:1.125rem}
.notice li,.notice p{margin:.125rem 0;overflow-wrap:anywhere}
figure{margin:.75rem 0 0;padding:1rem;background:var(--card);border:1px solid var(--line);border-radius:10px}
figure svg{display:block;width:100%;height:auto}
figure svg.narrow{display:none}
.chart text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:var(--soft);
  font-variant-numeric:tabular-nums}
.chart .label{fill:var(--ink)}
.chart .strong{font-weight:650}
.chart .grid line,.chart .grid path{stroke:var(--line)}
.chart .grid.zero line,.chart .grid.zero path{stroke:var(--soft)}
.chart .line{fill:none;stroke:var(--k);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}
.chart .line.estimated{stroke-dasharray:5 4}
.chart .line.again{stroke-width:3.5;stroke-opacity:.6}
.chart .fill{fill:var(--k)}
.chart .fill.again{fill-opacity:.6}
.chart .fill.faint{fill-opacity:.22}
.chart .part{stroke:var(--card);stroke-width:1}
.chart .interval{fill:none;stroke:var(--ink);stroke-width:1.5}
.chart .gap{fill:var(--soft);fill-opacity:.55}
.chart .mark line{stroke:var(--ink);stroke-width:1.5}
.chart .mark.dashed line{stroke-dasharray:5 4}
.chart .usual{fill:none;stroke:var(--ink);stroke-width:1.5;stroke-dasharray:2 3}
.chart .span .column{fill:var(--accent);fill-opacity:.06}
.chart .span.odd .column{fill-opacity:.13}
.chart .span .lane{fill:var(--shade)}
.chart .span.odd .lane{fill:var(--line)}
.chart .span text{fill:var(--ink);font-size:11px}
${palette}
.scroll{overflow-x:auto;margin:.75rem 0 0;border:1px solid var(--line);border-radius:10px;background:var(--card)}
table{border-collapse:collapse;width:100%;font-size:.875rem}
caption{text-align:left;padding:.625rem .75rem 0}
caption span{display:inline-block;position:sticky;left:.75rem;max-width:calc(100vw - 4.5rem)}
th,td{text-align:left;vertical-align:top;padding:.4375rem .75rem;border-top:1px solid var(--line)}
thead th{border-top:0;color:var(--soft);font-weight:600;white-space:nowrap}
tbody th{font-weight:600;overflow-wrap:anywhere;min-width:8rem}
.number{text-align:right;white-space:nowrap}
td.words{min-width:14rem;overflow-wrap:anywhere}
.why{display:block;color:var(--soft)}
h3{font-size:1rem;margin:1.25rem 0 0}
a{color:var(--accent)}
.notes{font-size:.875rem;color:var(--soft);padding-left:1.5rem;overflow-wrap:anywhere}
.notes li{margin:.25rem 0}
details{margin:.5rem 0 0}
summary{cursor:pointer;color:var(--soft);font-size:.875rem;padding:.25rem 0}
ol.steps{list-style:none;counter-reset:step;margin:.75rem 0 0;padding:0}
.steps>li{counter-increment:step;background:var(--card);border:1px solid var(--line);border-radius:10px;
  padding:.75rem 1rem;margin:0 0 .5rem;overflow-wrap:anywhere}
.steps h3{margin:0}
.steps h3::before{content:counter(step) ". ";color:var(--soft)}
.steps p{margin:.25rem 0}
.likes{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:.75rem;list-style:none;margin:.75rem 0 0;padding:0}
.likes li{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:.75rem 1rem;overflow-wrap:anywhere}
.likes strong{display:block;font-size:1.125rem}
.facts{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.25rem;margin:.75rem 0 0;font-size:.9375rem}
.facts dd{overflow-wrap:anywhere}
footer{margin-top:3rem;padding-top:1rem;padding-bottom:2.5rem;color:var(--soft);font-size:.875rem}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
@media (max-width:44rem){
  .tiles.small{grid-template-columns:1fr 1fr}
  .value{white-space:normal}
  figure{padding:.75rem}
  figure svg.wide{display:none}
  figure svg.narrow{display:block}
  .facts{grid-template-columns:1fr;gap:0}
  .facts dd{margin-bottom:.5rem}}
@media print{
  :root{color-scheme:light;--page:#fff;--card:#fff}
  body{font-size:10.5pt;print-color-adjust:exact;-webkit-print-color-adjust:exact}
  header,main,footer{max-width:none;padding-left:0;padding-right:0}
  figure svg.wide{display:block}
  figure svg.narrow,details{display:none}
  .scroll{overflow:visible}
  figure,.steps>li,tr,.tiles,.likes li{break-inside:avoid}
  h2{break-after:avoid}}
`);
