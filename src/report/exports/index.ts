// Runs in the formats of other programs: docs/formats.md.

export { type BadgeMetric, type BadgeOptions, badgeEndpoint, renderBadge } from "./badge.ts";
export { boampsReport, renderBoamps } from "./boamps.ts";
export { budgetSentence, renderBudgetJUnit, renderBudgetMarkdown } from "./budget.ts";
export { CODECARBON_COLUMNS, renderCodeCarbon } from "./codecarbon.ts";
export { checkFootprint, type FootprintOptions, footprintOf } from "./footprint.ts";
export { type Footprint, readFootprint, writeFootprint } from "./front-matter.ts";
export { renderImpactFramework } from "./impact-framework.ts";
export { otlpMetrics, otlpTraces } from "./otlp.ts";
export {
  type Accepted,
  headersOfEnvironment,
  headersOfFile,
  type OtlpTarget,
  postOtlp,
} from "./otlp-post.ts";
export { renderPrometheus } from "./prometheus.ts";
