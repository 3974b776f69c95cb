// What a model costs on paper: parameters, operations, bytes, by node, scope and operator.

export type { Activations } from "./activations.ts";
export { type Amount, formatAmount, isExact, numberOf } from "./amount.ts";
export { FLOP_CONVENTIONS, type FlopConvention } from "./conventions.ts";
export {
  type CountOptions,
  countModel,
  type ModelCount,
  type ParameterCounts,
  type UncountedOperator,
} from "./count-model.ts";
export { type Entry, type NodeCost, nodesIn } from "./entry.ts";
export { type InputChoice, type InputShapes, inputShapes } from "./input-shapes.ts";
export type { KeyValueCache } from "./kv-cache.ts";
export {
  filterOf,
  type Row,
  type RowOptions,
  type Rows,
  rank,
  rowsOf,
  SORTS,
  type Sort,
  VIEWS,
  type View,
} from "./rows.ts";
export { type Sparsity, sparsityOf, type TensorSparsity } from "./sparsity.ts";
export type { StoredTensor } from "./stored-tensors.ts";
export { roleOf, type TensorRole } from "./tensor-role.ts";
export { type Totals, totalsBy } from "./totals.ts";
export { type TrainingCost, trainingCost } from "./training-cost.ts";
export { readWeightFile } from "./weight-file.ts";
export type { WeightFile, WeightTensor } from "./weight-tensor.ts";
