// Networks that spend as much as a sample needs.

export {
  type Confidence,
  type CutPoint,
  cutPoints,
  type ExitDesign,
  type ExitHead,
  type ExitPlan,
  exitModel,
  exitStages,
  expectedCost,
  runStages,
  type Stage,
  type StageRunner,
  type StagesResult,
  type TrainExitsOptions,
  type TrainedExits,
  trainExits,
} from "./early-exit/index.ts";
