// Batch size and power limit of recurring training jobs.

export { bestLimit, costOf, epochCost, type Preference } from "./cost.ts";
export { type Potential, paretoFront, potentialOf, type Saving } from "./potential.ts";
export { oracleCost, type Recurrence, type RecurrenceOptions, recur } from "./recurrence.ts";
export { type Arm, newTuner, nextBatch, type Outcome, observed, type Tuner } from "./tuner.ts";
export {
  type BatchRecord,
  baselineOf,
  type EpochProfile,
  highestLimit,
  type Setting,
  settingsOf,
  type Workload,
  type WorkloadKey,
  workloadFrom,
} from "./workload.ts";
