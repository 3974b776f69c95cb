// Training: losses, gradients and updates as rewrites of a model, and the loop that runs them.

export { type Augment, augmentImages, type ImageAugmentation } from "./augment.ts";
export {
  type Checkpoint,
  decodeCheckpoint,
  type EpochRecord,
  encodeCheckpoint,
  type Position,
} from "./checkpoint.ts";
export {
  type Differentiated,
  type DifferentiateOptions,
  differentiate,
} from "./differentiate.ts";
export {
  createEvaluator,
  type EvaluateOptions,
  type Evaluator,
  evaluate,
  predict,
} from "./evaluate.ts";
export { fit, tuneFit } from "./fit.ts";
export type { FitOptions, FitResult, Progress, RunMeter, Stop } from "./fit-options.ts";
export { type Adapter, type Lora, type LoraOptions, mergeLora, withLora } from "./lora.ts";
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
export { logitsOf, withNewHead } from "./new-head.ts";
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
export { chooseParameters, trainableParameters } from "./parameters.ts";
export { onSmallerImages, stackLayers } from "./progressive.ts";
export {
  augmentOf,
  lossOf,
  metricFor,
  optimizerOf,
  parseRecipe,
  type Recipe,
  scheduleOf,
} from "./recipe.ts";
export { type Recomputed, withRecomputation } from "./recompute.ts";
export {
  constantRate,
  cosineRate,
  exponentialRate,
  oneCycleRate,
  type Schedule,
  stepRate,
  warmedUp,
} from "./schedule.ts";
export { fitInStages, type Stage, type StagedResult } from "./stages.ts";
export { buildStep, type Step, type StepOptions, tuneStep } from "./step.ts";
export { type WithTeacher, withTeacher } from "./teacher.ts";
export {
  type Batch,
  createTrainer,
  type StepResult,
  type Trainer,
  type TrainerOptions,
  type TrainingState,
} from "./trainer.ts";
export { type TrainingMode, type TrainingModeOptions, trainingMode } from "./training-mode.ts";
export {
  type TimedCase,
  type TimingStore,
  type TunedLowerings,
  type TuneLoweringsOptions,
  tuneLowerings,
  writtenBy,
} from "./tune-lowerings.ts";
export type { LoweringOptions, LoweringTask, Target, Way } from "./vjp/lowering.ts";
export type { WiringChoice } from "./wiring.ts";
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
