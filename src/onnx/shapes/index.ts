// Shape inference: what every value of a model looks like, without running it.

export type { Expression, Size } from "./dimension.ts";
export {
  add as addSizes,
  maximum as maximumSize,
  minimum as minimumSize,
  multiply as multiplySizes,
  product as productOfSizes,
  sameSize,
  subtract as subtractSizes,
  symbol as symbolicSize,
  symbolsOf,
  total as totalOfSizes,
} from "./dimension.ts";
export {
  ceilDivide as ceilDivideSizes,
  floorDivide as floorDivideSizes,
  substitute as substituteSizes,
} from "./dimension-division.ts";
export { formatShape, formatSize } from "./dimension-text.ts";
export { inferShapes } from "./infer.ts";
export {
  type BodyShapes,
  type GraphShapes,
  type InferredShapes,
  typeOfValue,
  type UninferredNode,
} from "./inferred-shapes.ts";
export type { InferredType, Item, Shape, TensorType } from "./inferred-type.ts";
export type { ShapeOptions } from "./input-types.ts";
