// Batch size and power limit of recurring training jobs.

export { bestLimit, costOf, epochCost, type Preference } from "./cost.ts";
export { type GuardOptions, guardLimits, type LimitGuard, restoreLeft } from "./execute-guard.ts";
export { POWERCAP, raplDevices } from "./execute-rapl.ts";
export { type PowerDevice, requireInRange } from "./limits.ts";
export { nvidiaDevices } from "./nvidia-limits.ts";
export { type Potential, paretoFront, potentialOf, type Saving } from "./potential.ts";
export { chosenLimit, marked, newProfiler, type Profiler } from "./profiler.ts";
export { oracleCost, type Recurrence, type RecurrenceOptions, recur } from "./recurrence.ts";
export {
  type NextRun,
  nextRun,
  type RecurringOptions,
  settingsSeen,
  type TunedRun,
} from "./recurring.ts";
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
