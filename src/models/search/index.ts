// Hyper-parameter optimisation that counts what it costs.

export { type BayesOptions, bayes, expectedImprovement } from "./bayes.ts";
export { type Bracket, hyperbandBrackets, type Rung, successiveHalving } from "./brackets.ts";
export {
  type Belief,
  condition,
  fitKernel,
  type Kernel,
  logLikelihood,
  matern52,
  type Process,
} from "./gaussian-process.ts";
export { type Goal, type Outcome, paretoFront, ranked, scoresOf } from "./goal.ts";
export { type Observation, randomSampler, type Sampler } from "./sampler.ts";
export {
  type AshaOptions,
  asha,
  fullRuns,
  inBrackets,
  type Ranking,
  type Scheduler,
  type Task,
} from "./scheduler.ts";
export { type Assignment, type SearchOptions, type SearchResult, search } from "./search.ts";
export {
  type ChoiceValue,
  type Config,
  configAt,
  type Domain,
  drawConfig,
  parseSpace,
  pointOf,
  type Space,
} from "./space.ts";
export { type TpeOptions, tpe } from "./tpe.ts";
