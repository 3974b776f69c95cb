// Numbers of fewer bits.

export type { CalibrationMethod, CalibrationOptions, Observer } from "./calibrate/calibrate.ts";
export { type FloatLeftover, floatLeftovers } from "./check-islands.ts";
export { type DynamicOptions, quantiseDynamic } from "./dynamic.ts";
export { equaliseLayers } from "./equalise/cross-layer.ts";
export { type SmoothOptions, smoothQuant } from "./equalise/smooth-quant.ts";
export { type Mix, type MixOptions, type MixTrial, mixPrecision } from "./mixed-precision.ts";
export {
  type Island,
  type IslandOptions,
  type PayingIslands,
  payingIslands,
} from "./paying-islands.ts";
export { type Sensitivity, type SensitivityOptions, sensitivityScan } from "./sensitivity.ts";
export {
  type Candidate,
  observerFor,
  observes,
  type PrepareOptions,
  prepareStatic,
  quantiseStatic,
  type StaticOptions,
  type StaticQuantiser,
  type TrainableModel,
} from "./static.ts";
export { storeIntegers } from "./store-integers.ts";
export { quantiseWeights, type WeightOnlyOptions } from "./weight-only/weight-only.ts";
