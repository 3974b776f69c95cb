// Comparing cards: the public face.

export type { Sides } from "./boundary.ts";
export {
  COMPARISON_SCHEMA,
  type CompareOptions,
  type Comparison,
  type ComparisonRow,
  compareCards,
  type SideSummary,
  type Verdict,
} from "./compare.ts";
export type { QualityRow } from "./quality.ts";
export type { RatioTest } from "./ratio.ts";
export { normalTails, studentQuantile, studentTails } from "./student.ts";
export { type Difference, welchTest, zTest } from "./test-of-difference.ts";
