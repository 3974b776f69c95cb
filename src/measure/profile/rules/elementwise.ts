// Operators without matrix products: so many operations for each element. A function counts as one
// operation, whatever it takes in hardware; an operator that fuses several counts as all of them.

import {
  addSizes,
  intOf,
  intsOf,
  multiplySizes,
  productOfSizes,
  type Size,
  textOf,
} from "../../../onnx/index.ts";
import {
  axis,
  hasInput,
  inputShape,
  inputSize,
  inputType,
  outputShape,
  outputSize,
  type Site,
  Uncountable,
} from "../site.ts";
import { FREE, named, type WorkRule, type WorkRules } from "./work.ts";

/** Sizes, indices and truth values are no floating-point work. */
const BOOKKEEPING = new Set([
  "int64",
  "int32",
  "uint64",
  "uint32",
  "int16",
  "uint16",
  "bool",
  "string",
]);

const onElements =
  (operations: number, size: (site: Site) => Size): WorkRule =>
  (site) => {
    const type = inputType(site, 0);
    if (type !== null && BOOKKEEPING.has(type)) return FREE;
    return { macs: 0, other: multiplySizes(size(site), operations) };
  };

const perOutput = (operations: number): WorkRule =>
  onElements(operations, (site) => outputSize(site));
const perInput = (operations: number): WorkRule =>
  onElements(operations, (site) => inputSize(site, 0));

const UNARY =
  "Abs Acos Acosh Asin Asinh Atan Atanh Ceil Celu Clip Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish " +
  "LeakyRelu Log Mish Neg PRelu Reciprocal Relu Round Selu Shrink Sigmoid Sign Sin Sinh Softplus Softsign " +
  "Sqrt Swish Tan Tanh ThresholdedRelu IsInf IsNaN";
const BINARY = "Add Sub Mul Div Pow Mod Equal Greater GreaterOrEqual Less LessOrEqual";
/** Over all inputs but one; a mean divides once more. */
const VARIADIC = "Sum Max Min";
const LOGICAL = "And Or Xor Not BitShift BitwiseAnd BitwiseOr BitwiseXor BitwiseNot";
/** Each element is added, multiplied or compared once. */
const REDUCTIONS =
  "ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 ReduceLogSum ArgMax ArgMin " +
  "GlobalAveragePool GlobalMaxPool CumSum CumProd";
/** Each element is squared, or its exponential taken, first. */
const REDUCTIONS_OF_FUNCTIONS = "ReduceL2 ReduceSumSquare ReduceLogSumExp GlobalLpPool";

const variadic: WorkRule = (site) => {
  const inputs = site.node.inputs.length;
  return perOutput(Math.max(0, inputs - 1))(site);
};

const mean: WorkRule = (site) => perOutput(site.node.inputs.length)(site);

/** Window times outputs. */
const pooling: WorkRule = (site) => {
  const kernel = intsOf(site.node, "kernel_shape", null);
  if (kernel === null) throw new Uncountable("attribute kernel_shape is missing");
  return { macs: 0, other: multiplySizes(outputSize(site), productOfSizes(kernel)) };
};

/** Max, difference, exponential, sum, quotient. */
const SOFTMAX = 5;
/** Mean, difference, square, mean, quotient; scale and shift are two more. */
const STANDARDISE = 5;
const SCALE_AND_SHIFT = 2;
const LAYER_NORM = STANDARDISE + SCALE_AND_SHIFT;
/** Square, mean, quotient, scale. */
const RMS_NORM = 4;

/** A window of `size` channels: their squares, the sum of those and of the bias, product, power, quotient. */
const localResponse: WorkRule = (site) => perOutput(2 * intOf(site.node, "size", 1) + 3)(site);

/** Nearest neighbours are copied; linear ones cost 2^axes products and one addition less. */
const resize: WorkRule = (site) => {
  const mode = textOf(site.node, "mode", "nearest");
  if (mode === "nearest") return FREE;
  if (mode !== "linear") throw new Uncountable(`resizing by ${mode} is not counted`);
  const from = inputShape(site, 0);
  const changed = outputShape(site).filter((size, at) => size !== from[at]).length;
  return perOutput(2 ** (changed + 1) - 1)(site);
};

/** Four neighbours of a place between pixels, as in bilinear resizing. */
const sampling: WorkRule = (site) => {
  const mode = textOf(site.node, "mode", "linear");
  if (mode === "nearest") return FREE;
  if (mode !== "linear" && mode !== "bilinear")
    throw new Uncountable(`sampling by ${mode} is not counted`);
  return perOutput(2 ** (inputShape(site, 0).length - 1) - 1)(site);
};

export const elementwise: WorkRules = {
  ...named(UNARY, perOutput(1)),
  ...named(BINARY, perOutput(1)),
  ...named(LOGICAL, () => FREE),
  ...named(VARIADIC, variadic),
  Mean: mean,
  ...named(REDUCTIONS, perInput(1)),
  ...named(REDUCTIONS_OF_FUNCTIONS, perInput(2)),
  ...named("AveragePool MaxPool", pooling),
  LpPool: pooling,
  ...named("Softmax LogSoftmax", perOutput(SOFTMAX)),
  SoftmaxCrossEntropyLoss: perInput(SOFTMAX + 1),
  NegativeLogLikelihoodLoss: perInput(1),
  Hardmax: perInput(1),
  BatchNormalization: perOutput(SCALE_AND_SHIFT),
  ...named("LayerNormalization InstanceNormalization GroupNormalization", (site) =>
    perOutput(LAYER_NORM)(site),
  ),
  MeanVarianceNormalization: perOutput(STANDARDISE),
  ...named("RMSNormalization SimplifiedLayerNormalization", perOutput(RMS_NORM)),
  // Square, sum, root of the sum for each, quotient.
  LpNormalization: perOutput(3),
  LRN: localResponse,
  ...named("QuantizeLinear DequantizeLinear", (site) => ({
    macs: 0,
    other: multiplySizes(outputSize(site), 2),
  })),
  // Least, largest, then as QuantizeLinear.
  DynamicQuantizeLinear: perInput(4),
  ...named("Resize Upsample", resize),
  GridSample: sampling,
};

/** The sum with skip and bias comes before the normalisation. */
const skipNorm =
  (operations: number, bias: number): WorkRule =>
  (site) =>
    perOutput(operations + 1 + (hasInput(site, bias) ? 1 : 0))(site);

/** Two or three embeddings are added, then normalised. */
const embedNorm: WorkRule = (site) => {
  const additions = hasInput(site, 4) ? 2 : 1;
  return { macs: 0, other: multiplySizes(outputSize(site), additions + LAYER_NORM) };
};

const biasThen =
  (operations: number): WorkRule =>
  (site) =>
    perOutput(operations + (hasInput(site, 1) ? 1 : 0))(site);

/** Both operands are scaled, the result is rounded to the scale of the output. */
const quantised =
  (operations: number): WorkRule =>
  (site) => ({
    macs: 0,
    other: multiplySizes(outputSize(site), operations),
  });

/** Half of the channels gate the other half. */
const splitGelu: WorkRule = (site) => ({
  macs: 0,
  other: addSizes(inputSize(site, 0), multiplySizes(outputSize(site), 2)),
});

const windowed: WorkRule = (site) => pooling(site);
const globally: WorkRule = (site) => ({ macs: 0, other: inputSize(site, 0) });

const matrixInverse: WorkRule = (site) => {
  const shape = inputShape(site, 0);
  // Gauss-Jordan: n^3 multiply-accumulates a matrix.
  return { macs: multiplySizes(inputSize(site, 0), axis(shape, -1)), other: 0 };
};

export const microsoftElementwise: WorkRules = {
  ...named("Gelu QuickGelu", perOutput(1)),
  FastGelu: biasThen(1),
  BiasGelu: biasThen(1),
  BiasAdd: perOutput(2),
  BiasSoftmax: perOutput(SOFTMAX + 1),
  BiasDropout: perOutput(1),
  BiasSplitGelu: splitGelu,
  ...named("ComplexMul ComplexMulConj", perOutput(3)),
  GroupNorm: perOutput(LAYER_NORM),
  LayerNormalization: perOutput(LAYER_NORM),
  SimplifiedLayerNormalization: perOutput(RMS_NORM),
  SkipLayerNormalization: skipNorm(LAYER_NORM, 4),
  SkipSimplifiedLayerNormalization: skipNorm(RMS_NORM, 3),
  EmbedLayerNormalization: embedNorm,
  Inverse: matrixInverse,
  ...named("QuantizeLinear DequantizeLinear", quantised(2)),
  ...named("QLinearAdd QLinearMul", quantised(5)),
  ...named("QLinearLeakyRelu QLinearSigmoid", quantised(1)),
  QLinearSoftmax: quantised(SOFTMAX),
  QLinearAveragePool: windowed,
  NhwcMaxPool: windowed,
  ...named("QLinearGlobalAveragePool QLinearReduceMean", globally),
  GridSample: sampling,
};
