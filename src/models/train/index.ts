// Training: losses, gradients and updates as rewrites of a model, and the loop that runs them.

export {
  type Differentiated,
  type DifferentiateOptions,
  differentiate,
} from "./differentiate.ts";
export {
  bayesianRanking,
  binaryCrossEntropy,
  type CrossEntropyOptions,
  crossEntropy,
  type DistillationOptions,
  distillation,
  huber,
  klDivergence,
  type Loss,
  type LossContext,
  meanAbsoluteError,
  meanSquaredError,
  type Prediction,
  pinball,
} from "./losses/index.ts";
export { normaliseForTraining } from "./normalise.ts";
export {
  type AdagradOptions,
  type AdamOptions,
  adagrad,
  adam,
  adamW,
  type LionOptions,
  lion,
  type Optimizer,
  type RmsPropOptions,
  rmsProp,
  type SgdOptions,
  type Slot,
  sgd,
  type Update,
  type Updated,
} from "./optimizers/index.ts";
export {
  constantRate,
  cosineRate,
  exponentialRate,
  oneCycleRate,
  type Schedule,
  stepRate,
  warmedUp,
} from "./schedule.ts";
export { type TrainingMode, type TrainingModeOptions, trainingMode } from "./training-mode.ts";
export type { LoweringCase, LoweringOptions, Target } from "./vjp/lowering.ts";
export { type TargetInput, type WithLoss, withLoss } from "./with-loss.ts";
export {
  decayMatrices,
  type ParameterGroup,
  type StateEntry,
  type Trainable,
  type UpdateGraph,
  type UpdateOptions,
  withOptimizer,
} from "./with-optimizer.ts";
