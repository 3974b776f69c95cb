// FLOPs as the Automatic AI Model Greenness Track Toolkit counts them for training a TensorFlow 1 graph
// (agent/core/colletor/flops/tensorflow1x): forward, twice that for the backward pass, and so many a
// parameter for the optimizer. Four faults of the released code can be switched on.

import {
  elements,
  type FlopNode,
  type FlopRule,
  type Shape,
  shapeAt,
  sizeAt,
} from "./flop-rules.ts";

export type FlopDefect =
  /** Weights of unary operators count twice. */
  | "unary-weight-squared"
  /** Depthwise and backward convolution multiply the larger sizes; AvgPool counts 0. */
  | "broadcast-branch"
  /** SAME padding divides by strides downwards. */
  | "floor-padding";

/** Operations for each element, where it is not one. */
const WEIGHTS: Readonly<Record<string, number>> = {
  Expm1: 2,
  Rsqrt: 2,
  EuclideanNorm: 2,
  Log1p: 2,
  Relu6: 2,
  SquaredDifference: 2,
  Sigmoid: 4,
  LogSoftmax: 4,
  Elu: 4,
  Tanh: 5,
  Selu: 5,
};

/** Operations of an optimizer's step for each trainable parameter. */
export const OPTIMIZER_FLOPS: Readonly<Record<string, number>> = {
  GradientDescent: 1,
  Momentum: 3,
  Adagrad: 6,
  Adadelta: 7,
  RMSProp: 7,
  GroupMomentum: 8,
  Ftrl: 9,
  Adam: 10,
  GroupAdadelta: 12,
  GroupFtrl: 14,
  SparseGroupFtrl: 14,
  GroupAdam: 15,
  GroupAMSGrad: 18,
};

const BINARY = new Set([
  "Add",
  "AddV2",
  "Sub",
  "Mul",
  "RealDiv",
  "Div",
  "Maximum",
  "Minimum",
  "Equal",
  "Greater",
  "Less",
  "BiasAdd",
  "SquaredDifference",
]);
const CROSS_ENTROPY = /^(Sparse)?SoftmaxCrossEntropyWithLogits$/;
/** Filed under binary operators with the rule of broadcasting. */
const MISFILED = new Set(["DepthwiseConv2dNative", "Conv2DBackpropInput"]);

/** Forward FLOPs of one node. */
export function toolkitFlops(
  type: string,
  node: FlopNode,
  defects: ReadonlySet<FlopDefect> = new Set(),
): number {
  if (/^(Batch)?MatMul(V2)?$/.test(type)) return matrixProduct(node);
  if (type === "Conv2D") return convolution(node, defects);
  if (CROSS_ENTROPY.test(type)) return 6 * elements(shapeAt(node.inputs, 1));
  if (defects.has("broadcast-branch") && type === "AvgPool") return 0;
  if (type === "AvgPool") return elements(node.window ?? []) * elements(shapeAt(node.outputs, 0));
  if (MISFILED.has(type)) {
    return defects.has("broadcast-branch") ? broadcast(node) : filterProduct(type, node);
  }
  const weight = WEIGHTS[type] ?? 1;
  if (BINARY.has(type)) return broadcast(node) * weight;
  const times = defects.has("unary-weight-squared") ? weight ** 2 : weight;
  return elements(shapeAt(node.inputs, 0)) * times;
}

/** 2 x first matrix x columns of the second. */
const matrixProduct: FlopRule = ({ inputs, transposeB }) => {
  const second = shapeAt(inputs, 1);
  return 2 * elements(shapeAt(inputs, 0)) * sizeAt(second, transposeB === true ? -2 : -1);
};

function convolution(node: FlopNode, defects: ReadonlySet<FlopDefect>): number {
  const [input, filter] = [shapeAt(node.inputs, 0), shapeAt(node.inputs, 1)];
  const strides = node.strides ?? [1, 1, 1, 1];
  if (node.padding === "SAME" && defects.has("floor-padding")) {
    // All of [batch, height, width] over all strides at once, as released.
    const places = Math.floor(elements(input.slice(0, -1)) / elements(strides));
    return 2 * places * elements(filter);
  }
  const places = [1, 2].map((axis) => {
    const [size, stride] = [sizeAt(input, axis), strides[axis] ?? 1];
    if (node.padding === "SAME") return Math.ceil(size / stride);
    return Math.max(Math.floor((size - sizeAt(filter, axis - 1)) / stride) + 1, 1);
  });
  return 2 * sizeAt(input, 0) * elements(places) * elements(filter);
}

/** What the two misfiled operators do: depthwise by output, backward by the image that comes out. */
function filterProduct(type: string, { inputs, outputs, strides }: FlopNode): number {
  const filter = shapeAt(inputs, 1);
  const output = shapeAt(outputs, 0);
  if (type === "DepthwiseConv2dNative") {
    return 2 * elements(output) * sizeAt(filter, 0) * sizeAt(filter, 1);
  }
  const [, down = 1, across = 1] = strides ?? [];
  return (2 * elements(output) * elements(filter)) / (sizeAt(output, -1) * down * across);
}

/** Elements of the shape that both inputs stretch to. */
const broadcast: FlopRule = ({ inputs }) => {
  const [a, b] = [shapeAt(inputs, 0), shapeAt(inputs, 1)];
  const rank = Math.max(a.length, b.length);
  const at = (shape: Shape, axis: number): number => shape[axis - (rank - shape.length)] ?? 1;
  return elements(Array.from({ length: rank }, (_, axis) => Math.max(at(a, axis), at(b, axis))));
};

export interface TrainingGraph {
  readonly nodes: readonly { readonly type: string; readonly node: FlopNode }[];
  readonly trainableParameters: number;
  readonly optimizer: keyof typeof OPTIMIZER_FLOPS;
}

/** FLOPs of one training step. Throws RangeError for an optimizer that the toolkit does not know. */
export function toolkitStepFlops(
  { nodes, trainableParameters, optimizer }: TrainingGraph,
  defects: ReadonlySet<FlopDefect> = new Set(),
): number {
  const perParameter = OPTIMIZER_FLOPS[optimizer];
  if (perParameter === undefined) throw new RangeError(`no FLOPs are known for ${optimizer}`);
  const forward = nodes.reduce((sum, { type, node }) => sum + toolkitFlops(type, node, defects), 0);
  return 3 * forward + trainableParameters * perParameter;
}
