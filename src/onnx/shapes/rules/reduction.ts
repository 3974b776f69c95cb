// Reductions over axes, and operators that look along one axis: ArgMax, TopK, Hardmax's kin.

import type { Shape } from "../inferred-type.ts";

import {
  axisOf,
  axisSize,
  elementTypeAt,
  fault,
  hasInput,
  intOf,
  numbersAt,
  type Operation,
  operandAt,
  type Rules,
  shapeAt,
  shapeOfRank,
  sizesAt,
  tensors,
  typed,
} from "../operation.ts";
import { ruleFor } from "./elementwise.ts";
import { axesFrom } from "./layout.ts";

/** Axes are an attribute until opset 13 (ReduceSum) and 18 (the others), an input from then on. */
function reduce(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const keep = intOf(operation, "keepdims", 1) === 1;
  // Which axes go is not known, but with keepdims the rank is.
  const known = !hasInput(operation, 1) || numbersAt(operation, 1) !== null;
  if (!known && keep) return shape.map(() => operation.mint());
  const axes = axesFrom(operation, 1) ?? [];
  if (axes.length === 0) {
    if (intOf(operation, "noop_with_empty_axes", 0) === 1) return shape;
    return keep ? shape.map(() => 1) : [];
  }
  const reduced = new Set(axes.map((axis) => axisOf(axis, shape.length)));
  return keep
    ? shape.map((size, axis) => (reduced.has(axis) ? 1 : size))
    : shape.filter((_, axis) => !reduced.has(axis));
}

function reduceAxis(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const axis = axisOf(intOf(operation, "axis", 0), shape.length);
  return intOf(operation, "keepdims", 1) === 1
    ? shape.with(axis, 1)
    : shape.filter((_, at) => at !== axis);
}

/** k is an attribute until opset 10, an input from then on. */
function topK(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const axis = axisOf(intOf(operation, "axis", -1), shape.length);
  const length = axisSize(shape, axis);
  const [k = 0] = hasInput(operation, 1)
    ? (sizesAt(operation, 1) ?? fault(`"${operandAt(operation, 1).name}" is not one number`))
    : [intOf(operation, "k", 0)];
  if (typeof k === "number" && typeof length === "number" && (k < 0 || k > length)) {
    fault(`the top ${k} of ${length} elements`);
  }

  return shape.with(axis, k);
}

const REDUCTIONS =
  "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare";

const index = tensors((operation) => [reduceAxis(operation)], typed("int64"));

/** A loss is one number, or one for each sample when it is not reduced. */
function loss(operation: Operation): Shape {
  const reduction = operation.attributes.get("reduction");
  const none = reduction?.kind === "string" && new TextDecoder().decode(reduction.value) === "none";
  return none ? shapeAt(operation, 1) : [];
}

export const reductions: Rules = {
  ...ruleFor(
    REDUCTIONS,
    tensors((operation) => [reduce(operation)]),
  ),
  ArgMax: index,
  ArgMin: index,
  TopK: tensors(
    (operation) => {
      const shape = topK(operation);
      return [shape, shape];
    },
    typed(null, "int64"),
  ),
  NegativeLogLikelihoodLoss: tensors((operation) => [loss(operation)]),
  SoftmaxCrossEntropyLoss: tensors(
    (operation) => [loss(operation), shapeAt(operation, 0)],
    (operation) => [elementTypeAt(operation, 0)],
  ),
  Multinomial: tensors((operation) => {
    const [batch = 1] = shapeOfRank(operation, 0, 2);
    return [[batch, intOf(operation, "sample_size", 1)]];
  }, typed("int32")),
};
