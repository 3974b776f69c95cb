// How good a changed model is beside its original.

export { answerText } from "./answers.ts";
export type { ChangedSample, OutputDifference } from "./compare-outputs.ts";
export { type Drift, inputDrift } from "./drift.ts";
export { type Evaluation, evaluate, type Judge, truthOf } from "./evaluate.ts";
export { likelyBound, type NonInferiority, testNonInferiority } from "./non-inferiority.ts";
export { predict, type Reading } from "./predict.ts";
export {
  asDeployed,
  CALIBRATION_BATCH,
  feedsOf,
  inputsOf,
  type Samples,
  samplesFor,
  withRows,
} from "./samples.ts";
export { type ThreeSplits, threeSplits } from "./three-splits.ts";
export { type Verification, type VerifyOptions, verify } from "./verify.ts";
