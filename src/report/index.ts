// Reports from one card.

export { columnName, renderCsv, renderCsvTable } from "./csv.ts";
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
