// Carbon-aware scheduling: signals, jobs, policies and plans. Pure; running plans is somebody else's.

export { type Advice, advise, type Proposal, type Verdict } from "./advice.ts";
export { ASSUMED_ERROR } from "./assumed-error.ts";
export { type DailyJob, type DecisionValue, decisionValue } from "./decision-value.ts";
export {
  type Duration,
  type DurationQuantile,
  duration,
  durationAt,
  expectedOver,
  fixedDuration,
  learnedDuration,
  meanDuration,
} from "./duration.ts";
export { between, type Exposure, expectedExposure, exposureOf, gramsOf } from "./exposure.ts";
export {
  archived,
  type Forecaster,
  forecasters,
  perfect,
  seasonalNaive,
  weekMean,
  yesterday,
} from "./forecast.ts";
export {
  type Backtest,
  backtest,
  declaredError,
  errorOf,
  type ForecastError,
  type Outcome,
  PERFECT,
} from "./forecast-error.ts";
export {
  errorOnRecord,
  forecasterNamed,
  forecastFrom,
  type NamedForecaster,
  namedForecasters,
} from "./history.ts";
export {
  checkJob,
  DEADLINE_PROBABILITY,
  FREE_INTERRUPTION,
  type Interruption,
  type Job,
  latestStart,
  type Placement,
  plannedDuration,
  type ScaleCurve,
} from "./job.ts";
export { type LearnedJob, learnedJob, SIZE_TAG } from "./learned-job.ts";
export {
  type Counterfactual,
  type JobPlan,
  type Plan,
  type Reason,
  type SecondView,
  savingVerb,
} from "./plan.ts";
export { type PlanOptions, plan } from "./planner.ts";
export {
  bestPolicyFor,
  builtInPolicies,
  paysForStopping,
  policyNamed,
  unfitness,
} from "./policies/built-in.ts";
export {
  costOf,
  type Horizon,
  type Packing,
  pack,
  runningSums,
  type SlotJob,
} from "./policies/capacity.ts";
export { type Bound, capacityBound, gapOf } from "./policies/capacity-bound.ts";
export { capacityCurve, type Demand } from "./policies/capacity-curve.ts";
export { type ScaledRun, scaleByMargin } from "./policies/carbon-scaler.ts";
export { carbonTime } from "./policies/carbon-time.ts";
export { exposureOfRuns } from "./policies/cost.ts";
export { ecovisor } from "./policies/ecovisor.ts";
export { lowestSlot } from "./policies/lowest-slot.ts";
export { lowestWindow } from "./policies/lowest-window.ts";
export { type Place, type PlaceChoice, placeShift, timedBy } from "./policies/place-shift.ts";
export type { Policy, Run, Work } from "./policies/policy.ts";
export { type ArrivingJob, type Outlook, rollingHorizon } from "./policies/rolling-horizon.ts";
export { runNow } from "./policies/run-now.ts";
export { suspendResume, suspendResumeIn } from "./policies/suspend-resume.ts";
export { waitAwhile, waitAwhileInterrupting } from "./policies/wait-awhile.ts";
export { signalFromCsv, signalsFromJson } from "./read-signal.ts";
export { resample } from "./resample.ts";
export {
  endOf,
  requireLike,
  type Signal,
  type SignalBasis,
  type SignalKind,
  type SignalQuantile,
  signal,
  slice,
  valueAt,
} from "./signal.ts";
export { newestStretch, type SignalRead, signalOfSeries } from "./signal-of-series.ts";
export { cheapestSlots, lowestWindows, type Ranked, ranked, windowSums } from "./sweep.ts";
