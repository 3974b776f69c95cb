// tfprof's conventions: the FLOPs that TensorFlow registers for its operators (Apache-2.0,
// tensorflow/python/profiler/internal/flops_registry.py and ops/nn_ops.py). Two FLOPs a multiply and
// add; batch included. Whatever is not registered counts 0 there: `tfprofFlops` says null instead.

import {
  elements,
  type FlopNode,
  type FlopRule,
  type FlopRules,
  perInput,
  perOutput,
  shapeAt,
  sizeAt,
} from "./flop-rules.ts";

/** Outputs x depth and area of the filter x 2; the filter is [height, width, in, out]. */
const convolution: FlopRule = ({ inputs, outputs }) => {
  const filter = shapeAt(inputs, 1);
  const [height, width, depth] = [sizeAt(filter, 0), sizeAt(filter, 1), sizeAt(filter, 2)];
  return elements(shapeAt(outputs, 0)) * depth * height * width * 2;
};

const depthwiseConvolution: FlopRule = ({ inputs, outputs }) => {
  const filter = shapeAt(inputs, 1);
  return elements(shapeAt(outputs, 0)) * sizeAt(filter, 0) * sizeAt(filter, 1) * 2;
};

const matrixProduct: FlopRule = ({ inputs, outputs, transposeA }) => {
  const a = shapeAt(inputs, 0);
  const depth = sizeAt(a, transposeA === true ? 0 : 1);
  return elements(shapeAt(outputs, 0)) * depth * 2;
};

const batchMatrixProduct: FlopRule = ({ inputs, outputs, transposeA }) => {
  const depth = sizeAt(shapeAt(inputs, 0), transposeA === true ? -2 : -1);
  return elements(shapeAt(outputs, 0)) * depth * 2;
};

/** A reduction adds all but one element of each output; a mean also divides. */
const reduction =
  (finalise: number): FlopRule =>
  ({ inputs, outputs }) =>
    elements(shapeAt(inputs, 0)) + elements(shapeAt(outputs, 0)) * (finalise - 1);

const pooling: FlopRule = ({ outputs, window = [] }) =>
  elements(window) * elements(shapeAt(outputs, 0));

/** Both backward convolutions: 2 x image x filter / (channels of the image x strides). */
const convolutionGradient =
  (image: (node: FlopNode) => readonly number[], filter: (node: FlopNode) => readonly number[]) =>
  (node: FlopNode): number => {
    const shape = image(node);
    const [, down = 1, across = 1] = node.strides ?? [];
    return (2 * elements(shape) * elements(filter(node))) / (sizeAt(shape, -1) * down * across);
  };

const sumOfInputs: FlopRule = ({ inputs }) =>
  // n inputs are added with n - 1 additions for each element.
  inputs.length === 0 ? 0 : elements(shapeAt(inputs, 0)) * (inputs.length - 1);

const once = perInput();
const eachOutput = perOutput();

/** Registered operators; everything else counts nothing in tfprof. */
export const TFPROF_RULES: FlopRules = {
  Conv2D: convolution,
  DepthwiseConv2dNative: depthwiseConvolution,
  Conv2DBackpropInput: convolutionGradient(
    ({ outputs }) => shapeAt(outputs, 0),
    ({ inputs }) => shapeAt(inputs, 1),
  ),
  Conv2DBackpropFilter: convolutionGradient(
    ({ inputs }) => shapeAt(inputs, 0),
    ({ outputs }) => shapeAt(outputs, 0),
  ),
  MatMul: matrixProduct,
  BatchMatMul: batchMatrixProduct,
  BatchMatMulV2: batchMatrixProduct,
  BatchMatMulV3: batchMatrixProduct,
  BiasAdd: once,
  AvgPool: pooling,
  MaxPool: pooling,
  AddN: sumOfInputs,
  Reciprocal: once,
  Square: once,
  Rsqrt: perInput(2),
  Log: once,
  Neg: once,
  AssignSub: once,
  AssignAdd: once,
  L2Loss: ({ inputs }) => 3 * elements(shapeAt(inputs, 0)) - 1,
  Softmax: perInput(5),
  Add: eachOutput,
  AddV2: eachOutput,
  Sub: eachOutput,
  Mul: eachOutput,
  RealDiv: eachOutput,
  Maximum: eachOutput,
  Minimum: eachOutput,
  Pow: eachOutput,
  RsqrtGrad: perOutput(4),
  GreaterEqual: eachOutput,
  Greater: eachOutput,
  LessEqual: eachOutput,
  Less: eachOutput,
  Equal: eachOutput,
  NotEqual: eachOutput,
  SquaredDifference: perOutput(2),
  Mean: reduction(1),
  Sum: reduction(0),
  ArgMax: reduction(0),
  ArgMin: reduction(0),
  BiasAddGrad: reduction(0),
};

/** FLOPs of one node, or null where tfprof registers nothing and would count 0. */
export function tfprofFlops(type: string, node: FlopNode): number | null {
  const rule = Object.hasOwn(TFPROF_RULES, type) ? TFPROF_RULES[type] : undefined;
  return rule === undefined ? null : rule(node);
}
