// Training-data efficiency: which samples to label, to train on, and in which order. What choosing them
// costs belongs to the cost of training: meter both.

export { type ActiveOptions, type ActiveResult, learnActively } from "./active.ts";
export {
  type Choice,
  type Chosen,
  chooseRows,
  type EasyFirst,
  rowsAsKept,
  type Selection,
} from "./choose.ts";
export { type Condensed, type CondenseOptions, condense } from "./condense.ts";
export {
  byDifficulty,
  curriculum,
  linearPacing,
  type Pacing,
  rootPacing,
} from "./curriculum.ts";
export { projectRows, valueSets } from "./features.ts";
export type { GradientOptions } from "./gradient-graph.ts";
export { type GradientNormOptions, gradientNorms } from "./gradient-norm.ts";
export { countForgetting, el2n, type ForgettingCounter, meanScores } from "./importance.ts";
export { type CoreSet, kCentre } from "./k-centre.ts";
export {
  candidatePairs,
  candidateProbability,
  type Deduplicated,
  type DeduplicateOptions,
  deduplicate,
  deduplicateSets,
  jaccard,
  minHash,
  type Signer,
  shingles,
  similarity,
} from "./min-hash.ts";
export {
  entropy,
  highest,
  leastConfidence,
  margin,
  type Uncertainty,
  uncertainties,
} from "./uncertainty.ts";
