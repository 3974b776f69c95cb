// Models made smaller: rewrites with a promise about the outputs of what they give back.

export { type ClusterOptions, cluster, storeHalf } from "./cluster/index.ts";

export * from "./cost/index.ts";

export { withDataInside } from "./data-inside.ts";
export {
  type BlockOptions,
  type BlockReport,
  type DistilOptions,
  datasetOfFeeds,
  distil,
  type GradientOptions,
  type Learned,
  type LearnOptions,
  learn,
  type Match,
  meanGradients,
  type PruneInRoundsOptions,
  pruneInRounds,
  type Round,
  reconstructBlocks,
  type TeachingOptions,
} from "./distil/index.ts";
export {
  type EvbmfRank,
  evbmf,
  type FactoriseOptions,
  factorise,
  type MethodName,
  type RankRule,
} from "./factorise/index.ts";
export * from "./judge/index.ts";
export type {
  Change,
  Feeds,
  Fidelity,
  Pass,
  PassContext,
  PassResult,
  Progress,
  Refusal,
} from "./pass.ts";
export {
  type Importance,
  type Member,
  type PruneOptions,
  type PrunePass,
  type PruneResult,
  type PruningGroup,
  type PruningGroups,
  prune,
  pruningGroups,
  pruningSensitivity,
  ratiosWithin,
  type Scope,
  type SensitivityOptions,
  type SensitivityRow,
} from "./prune/index.ts";
export * from "./quantise/index.ts";
export { runSteps, type Step, type StepsResult, stepOf } from "./run-passes.ts";
export * from "./search/index.ts";
export { type SimplifyOptions, simplify, simplifyRules } from "./simplify/simplify.ts";
export {
  cubicSparsity,
  type Pattern,
  type SparsifyOptions,
  sparsify,
  storeSparse,
} from "./sparsify/index.ts";
export { type NodeWithin, nodesWithSubGraphs, reasonLeft } from "./sub-graphs.ts";
