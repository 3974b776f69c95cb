// Shape inference: what every value of a model looks like, without running it.

export type { Expression, Size } from "./dimension.ts";
export {
  add,
  maximum,
  minimum,
  multiply,
  product,
  sameSize,
  subtract,
  symbol,
  symbolsOf,
  total,
} from "./dimension.ts";
export { ceilDivide, floorDivide, substitute } from "./dimension-division.ts";
export { formatShape, formatSize } from "./dimension-text.ts";
export { inferShapes, type ShapeOptions } from "./infer.ts";
export {
  type BodyShapes,
  type GraphShapes,
  type InferredShapes,
  typeOf,
  type UninferredNode,
} from "./inferred-shapes.ts";
export type { InferredType, Item, Shape, TensorType } from "./inferred-type.ts";
export { OPERATORS, ruleOf } from "./operators.ts";
