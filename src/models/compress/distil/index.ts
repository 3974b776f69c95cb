// Smaller networks that learn from the original.

export { type BlockOptions, type BlockReport, reconstructBlocks } from "./blocks.ts";
export { type DistilOptions, distil } from "./distil.ts";
export { type GradientOptions, meanGradients } from "./gradients.ts";
export { type PruneInRoundsOptions, pruneInRounds, type Round } from "./iterate.ts";
export { type LearnOptions, learn } from "./learn.ts";
export type { Match } from "./matching.ts";
export type { Learned, TeachingOptions } from "./student.ts";
export { datasetOfFeeds } from "./taught.ts";
