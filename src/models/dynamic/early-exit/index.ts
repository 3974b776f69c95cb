// Leaving a model early where a head is sure enough.

export { type CandidateCut, candidateCuts } from "./candidate-cuts.ts";
export { type ChosenExits, chooseExits } from "./choose-exits.ts";
export { type CutPoint, cutPoints } from "./cut-points.ts";
export { type ExitCosts, type HeadCost, measureExits } from "./exit-costs.ts";
export { type FitHeadsOptions, type FittedHeads, fitHeads } from "./fit-heads.ts";
export type { Confidence, ExitHead } from "./head.ts";
export { exitModel } from "./if-model.ts";
export { classesOf, type ExitDesign } from "./segments.ts";
export {
  exitStages,
  runStages,
  type Stage,
  type StageRunner,
  type StagesResult,
} from "./stages.ts";
export { type ExitPlan, expectedCost } from "./thresholds.ts";
export { type TrainExitsOptions, type TrainedExits, trainExits } from "./train-exits.ts";
