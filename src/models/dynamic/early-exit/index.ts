// Leaving a model early where a head is sure enough.

export { type CutPoint, cutPoints } from "./cut-points.ts";
export type { Confidence, ExitHead } from "./head.ts";
export { exitModel } from "./if-model.ts";
export type { ExitDesign } from "./segments.ts";
export {
  exitStages,
  runStages,
  type Stage,
  type StageRunner,
  type StagesResult,
} from "./stages.ts";
export { type ExitPlan, expectedCost } from "./thresholds.ts";
export { type TrainExitsOptions, type TrainedExits, trainExits } from "./train-exits.ts";
