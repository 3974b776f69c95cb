export { fitLogCurve, type LogCurve, logCurveAt } from "./boavizta.ts";
export { predictEpochs, predictedIntensity } from "./carbontracker.ts";
export { codeCarbonMix } from "./codecarbon.ts";
export { memoryPowerV2, memoryPowerV3 } from "./codecarbon-memory.ts";
export { type Comparison, compareMethods, type Difference, differencesOf } from "./compare.ts";
export type { FlopNode, FlopRule, FlopRules, Shape } from "./flop-rules.ts";
export { resultOfCard, workloadOfCard } from "./from-card.ts";
export {
  costOfSlurmJobs,
  type SlurmCluster,
  type SlurmJobCost,
  totalOfSlurmJobs,
} from "./ga4hpc.ts";
export {
  type FlopDefect,
  OPTIMIZER_FLOPS,
  type TrainingGraph,
  toolkitFlops,
  toolkitStepFlops,
} from "./greenness-flops.ts";
export { type RaplDefect, raplEnergy, toolkitGigaflops } from "./greenness-toolkit.ts";
export type {
  Answer,
  Constant,
  Factor,
  Method,
  MethodResult,
  Scope,
  Term,
  TermName,
} from "./method.ts";
export { findMethod, METHODS } from "./methods.ts";
export { describedMachine, type OwnEstimate, ownEstimate } from "./own.ts";
export { parseSacct, type SlurmJob } from "./sacct.ts";
export { loadPeerTables, type PeerTables } from "./tables.ts";
export { TFPROF_RULES, tfprofFlops } from "./tfprof.ts";
export {
  type Counters,
  type Place,
  type Requests,
  type Workload,
  type WorkloadCpu,
  type WorkloadGpu,
  workloadOf,
} from "./workload.ts";
