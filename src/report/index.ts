// Reports from one card, the charts that they are made of, and what a machine can be measured with.

export { cardRow, columnName, IDENTITY_COLUMNS } from "./card-row.ts";
export {
  type Band,
  type Bar,
  type BarPart,
  type BarsData,
  barChart,
  type ChartOptions,
  type Extent,
  linearScale,
  linearTicks,
  logScale,
  logTicks,
  type PowerData,
  type PowerLine,
  powerChart,
  timeTicks,
} from "./charts/index.ts";
export { renderCsv, renderCsvTable } from "./csv.ts";
export type { Diagnosis, ProcessFacts, ProviderFinding, RungFinding } from "./doctor/diagnosis.ts";
export {
  type Equivalent,
  type Everyday,
  equivalentRange,
  equivalentsOf,
  equivalentText,
  loadEveryday,
  parseEveryday,
} from "./equivalents.ts";
export {
  BOUNDARY_MEANING,
  componentLabel,
  figuresOf,
  type HeadlineEnergy,
  headlineEnergy,
  type NamedFigure,
} from "./headline.ts";
export { type HtmlOptions, renderHtml } from "./html.ts";
export { renderJson } from "./json.ts";
export { escapeMarkdown, type MarkdownOptions, renderMarkdown } from "./markdown.ts";
export { type Paint, type Role, renderTerminal, type TerminalOptions } from "./terminal.ts";
