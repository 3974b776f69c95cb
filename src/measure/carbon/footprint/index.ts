export { carbonCost, electricityCost, type Money, type Price, sumMoney } from "./cost.ts";
export {
  embodiedShare,
  type Reservation,
  SERVER_LIFE,
  type ServerBuild,
  type ServerParts,
  serverByBuild,
  serverByParts,
  years,
} from "./embodied.ts";
export { gpuServerResources, PRIMARY_ENERGY_FACTOR, primaryEnergy } from "./resources.ts";
export {
  AI_BOUNDARY,
  AI_UNITS,
  type AiBoundary,
  type AiPart,
  type AiStage,
  type FunctionalUnit,
  type Sci,
  type SciInputs,
  sci,
  sciForAi,
} from "./sci.ts";
export { gridWater, type Water, type WaterInputs, waterOf } from "./water.ts";
