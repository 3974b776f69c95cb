// Rules with symbols, opset differences and corner cases, after the operators' documentation
// (onnx, docs/Operators.md and docs/Changelog.md, version 1.18).

import { describe, expect, test } from "vitest";
import {
  floats,
  ints,
  type SmallAttributes,
  type SmallInput,
  scalar,
  single,
} from "../../../../test/small-model.ts";
import { formatShape } from "../dimension-text.ts";
import { inferShapes } from "../infer.ts";
import { OPERATORS } from "../operators.ts";

type Inputs = Readonly<Record<string, SmallInput>>;

interface Options {
  readonly attributes?: SmallAttributes;
  readonly opset?: number;
  readonly outputs?: number;
  readonly domain?: string;
}

/** The outputs of one node, such as `float32[batch, 3]`. */
function outputs(opType: string, inputs: Inputs, options: Options = {}): readonly string[] {
  const model = single(opType, inputs, options);
  const { graph, faults } = inferShapes(model);
  if (faults[0] !== undefined) return [faults[0].message];
  return (model.graph?.outputs ?? []).map(({ name }) => {
    const type = graph.values.get(name);
    return type?.kind === "tensor" ? `${type.elementType}${formatShape(type.shape)}` : "?";
  });
}

const int64 = (...shape: readonly (number | string)[]): SmallInput => ({ type: "int64", shape });
const uint8 = (...shape: readonly (number | string)[]): SmallInput => ({ type: "uint8", shape });
const int8 = (...shape: readonly (number | string)[]): SmallInput => ({ type: "int8", shape });

type Row = readonly [string, Inputs, Options, readonly string[]];

const image = ["n", 3, "H", "W"];

const SYMBOLIC: readonly Row[] = [
  [
    "Conv",
    { x: image, w: [8, 3, 3, 3] },
    { attributes: { strides: [2, 2], pads: [1, 1, 1, 1] } },
    ["float32[n, 8, ceil(H/2), ceil(W/2)]"],
  ],
  ["Conv", { x: image, w: [8, 3, 3, 3] }, {}, ["float32[n, 8, H - 2, W - 2]"]],
  [
    "Conv",
    { x: image, w: [8, 3, 5, 5] },
    { attributes: { auto_pad: "SAME_UPPER", strides: [3, 3] } },
    ["float32[n, 8, ceil(H/3), ceil(W/3)]"],
  ],
  [
    "Conv",
    { x: image, w: [6, 1, 3, 3] },
    { attributes: { group: 3, dilations: [2, 2], pads: [2, 2, 2, 2] } },
    ["float32[n, 6, H, W]"],
  ],
  [
    "ConvTranspose",
    { x: image, w: [3, 4, 2, 2] },
    { attributes: { strides: [2, 2] } },
    ["float32[n, 4, 2*H, 2*W]"],
  ],
  [
    "MaxPool",
    { x: image },
    { attributes: { kernel_shape: [2, 2], strides: [2, 2] }, outputs: 2 },
    ["float32[n, 3, floor(H/2), floor(W/2)]", "int64[n, 3, floor(H/2), floor(W/2)]"],
  ],
  [
    "MaxPool",
    { x: image },
    { attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 } },
    ["float32[n, 3, floor(H/2), floor(W/2)]"],
  ],
  ["GlobalAveragePool", { x: image }, {}, ["float32[n, 3, 1, 1]"]],
  ["Flatten", { x: image }, {}, ["float32[n, 3*H*W]"]],
  ["Reshape", { x: image, t: ints([0, -1]) }, {}, ["float32[n, 3*H*W]"]],
  ["Reshape", { x: ["n", "s", 64], t: ints([0, 0, 8, -1]) }, {}, ["float32[n, s, 8, 8]"]],
  [
    "Slice",
    { x: image, s: ints([1]), e: ints([-1]), a: ints([3]) },
    {},
    ["float32[n, 3, H, W - 2]"],
  ],
  [
    "Slice",
    { x: image, s: ints([-1]), e: ints([-(2 ** 31)]), a: ints([3]), t: ints([-1]) },
    {},
    ["float32[n, 3, H, W]"],
  ],
  [
    "Slice",
    { x: image, s: ints([-4]), e: ints([2 ** 31 - 1]), a: ints([2]) },
    {},
    ["float32[n, 3, min(H, 4), W]"],
  ],
  [
    "Slice",
    { x: image, s: ints([0]), e: ints([2 ** 31 - 1]), a: ints([2]), t: ints([2]) },
    {},
    ["float32[n, 3, ceil(H/2), W]"],
  ],
  [
    "Split",
    { x: ["n", 7] },
    { attributes: { axis: 1, num_outputs: 3 }, outputs: 3, opset: 18 },
    ["float32[n, 3]", "float32[n, 3]", "float32[n, 1]"],
  ],
  [
    "Split",
    { x: ["n", "c"] },
    { attributes: { axis: 1 }, outputs: 2, opset: 13 },
    ["float32[n, floor(c/2)]", "float32[n, floor(c/2)]"],
  ],
  [
    "Concat",
    { a: ["n", "past", 4], b: ["n", "seq", 4] },
    { attributes: { axis: 1 } },
    ["float32[n, past + seq, 4]"],
  ],
  ["Tile", { x: ["n", 2], r: ints([2, 3]) }, {}, ["float32[2*n, 6]"]],
  [
    "DepthToSpace",
    { x: image.with(1, 12) },
    { attributes: { blocksize: 2 } },
    ["float32[n, 3, 2*H, 2*W]"],
  ],
  ["Upsample", { x: image, s: floats([1, 1, 2, 2]) }, { opset: 9 }, ["float32[n, 3, 2*H, 2*W]"]],
  [
    "Upsample",
    { x: image },
    { attributes: { scales: { floats: [1, 1, 2, 2] } }, opset: 7 },
    ["float32[n, 3, 2*H, 2*W]"],
  ],
  [
    "Resize",
    { x: image, s: floats([1, 1, 0.5, 0.5]) },
    { opset: 10 },
    ["float32[n, 3, floor(H/2), floor(W/2)]"],
  ],
  ["MatMul", { a: ["n", "s", 8], b: [8, 4] }, {}, ["float32[n, s, 4]"]],
  ["Gemm", { a: [8, "n"], b: [4, 8] }, { attributes: { transA: 1, transB: 1 } }, ["float32[n, 4]"]],
  [
    "LSTM",
    { x: ["s", "n", 8], w: [2, 40, 8], r: [2, 40, 10] },
    { attributes: { direction: "bidirectional", hidden_size: 10 }, outputs: 3 },
    ["float32[s, 2, n, 10]", "float32[2, n, 10]", "float32[2, n, 10]"],
  ],
  [
    "GRU",
    { x: ["n", "s", 8], w: [1, 30, 8], r: [1, 30, 10] },
    { attributes: { layout: 1, hidden_size: 10 }, outputs: 2 },
    ["float32[n, s, 1, 10]", "float32[n, 1, 10]"],
  ],
  [
    "Einsum",
    { a: ["n", "q", 4, 8], b: ["n", "k", 4, 8] },
    { attributes: { equation: "bqhd,bkhd->bhqk" } },
    ["float32[n, 4, q, k]"],
  ],
  ["DFT", { x: ["n", 9, 1] }, { attributes: { onesided: 1 }, opset: 20 }, ["float32[n, 5, 2]"]],
  [
    "STFT",
    { x: ["n", "t", 1], step: scalar(4), w: floats(new Array(16).fill(1)) },
    { opset: 17 },
    ["float32[n, floor(t/4) - 3, 9, 2]"],
  ],
  [
    "Attention",
    {
      q: ["n", "s", 16],
      k: ["n", "s", 8],
      v: ["n", "s", 8],
      m: null,
      pk: ["n", 2, "p", 4],
      pv: ["n", 2, "p", 4],
    },
    { attributes: { q_num_heads: 4, kv_num_heads: 2 }, outputs: 3, opset: 23 },
    ["float32[n, s, 16]", "float32[n, 2, p + s, 4]", "float32[n, 2, p + s, 4]"],
  ],
  [
    "GroupQueryAttention",
    {
      q: ["n", "s", 16],
      k: ["n", "s", 8],
      v: ["n", "s", 8],
      pk: ["n", 2, "p", 4],
      pv: ["n", 2, "p", 4],
    },
    { attributes: { num_heads: 4, kv_num_heads: 2 }, outputs: 3, domain: "com.microsoft" },
    ["float32[n, s, 16]", "float32[n, 2, p + s, 4]", "float32[n, 2, p + s, 4]"],
  ],
  [
    "EmbedLayerNormalization",
    { ids: int64("n", "s"), seg: null, we: [100, 8], pe: [50, 8], se: null, g: [8], b: [8] },
    { outputs: 2, domain: "com.microsoft" },
    ["float32[n, s, 8]", "int32[n]"],
  ],
];

const OPSETS: readonly Row[] = [
  ["Squeeze", { x: [1, 3, 1] }, { attributes: { axes: [0] }, opset: 11 }, ["float32[3, 1]"]],
  ["Squeeze", { x: [1, 3, 1], a: ints([-1]) }, { opset: 13 }, ["float32[1, 3]"]],
  ["Squeeze", { x: [1, 3, 1] }, { opset: 13 }, ["float32[3]"]],
  [
    "Unsqueeze",
    { x: [3, 4] },
    { attributes: { axes: [0, 3] }, opset: 11 },
    ["float32[1, 3, 4, 1]"],
  ],
  ["Unsqueeze", { x: [3, 4], a: ints([-1, 0]) }, { opset: 13 }, ["float32[1, 3, 4, 1]"]],
  [
    "ReduceSum",
    { x: [2, 3, 4] },
    { attributes: { axes: [1], keepdims: 0 }, opset: 11 },
    ["float32[2, 4]"],
  ],
  [
    "ReduceSum",
    { x: [2, 3, 4], a: ints([1]) },
    { attributes: { keepdims: 0 }, opset: 13 },
    ["float32[2, 4]"],
  ],
  [
    "ReduceSum",
    { x: [2, 3, 4], a: ints([]) },
    { attributes: { noop_with_empty_axes: 1 }, opset: 13 },
    ["float32[2, 3, 4]"],
  ],
  ["ReduceSum", { x: [2, 3, 4] }, { opset: 13 }, ["float32[1, 1, 1]"]],
  ["ReduceMax", { x: [2, 3, 4], a: ints([0, 2]) }, { opset: 18 }, ["float32[1, 3, 1]"]],
  [
    "Split",
    { x: [6] },
    { attributes: { split: [2, 4] }, outputs: 2, opset: 11 },
    ["float32[2]", "float32[4]"],
  ],
  ["Split", { x: [6], s: ints([2, 4]) }, { outputs: 2, opset: 13 }, ["float32[2]", "float32[4]"]],
  [
    "Slice",
    { x: [8, 8] },
    { attributes: { starts: [1], ends: [5], axes: [0] }, opset: 9 },
    ["float32[4, 8]"],
  ],
  ["Pad", { x: [2, 3] }, { attributes: { pads: [0, 1, 0, 2] }, opset: 10 }, ["float32[2, 6]"]],
  [
    "TopK",
    { x: [3, 9] },
    { attributes: { k: 4 }, outputs: 2, opset: 9 },
    ["float32[3, 4]", "int64[3, 4]"],
  ],
  ["Dropout", { x: [3] }, { outputs: 2, opset: 12 }, ["float32[3]", "bool[3]"]],
  ["Shape", { x: [2, "n", 4] }, { attributes: { start: 1 }, opset: 15 }, ["int64[2]"]],
  [
    "DFT",
    { x: [1, 10, 10, 1] },
    { attributes: { axis: 2, onesided: 1 }, opset: 17 },
    ["float32[1, 10, 6, 2]"],
  ],
];

const TYPES: readonly Row[] = [
  ["QuantizeLinear", { x: ["n", 3], s: [], z: int8() }, {}, ["int8[n, 3]"]],
  ["QuantizeLinear", { x: ["n", 3], s: [] }, {}, ["uint8[n, 3]"]],
  [
    "DequantizeLinear",
    { x: uint8("n", 3), s: { type: "float16", shape: [] }, z: uint8() },
    {},
    ["float16[n, 3]"],
  ],
  [
    "DynamicQuantizeLinear",
    { x: ["n", 3] },
    { outputs: 3 },
    ["uint8[n, 3]", "float32[]", "uint8[]"],
  ],
  [
    "QLinearConv",
    {
      x: uint8("n", 3, 8, 8),
      xs: [],
      xz: uint8(),
      w: int8(4, 3, 3, 3),
      ws: [],
      wz: int8(),
      ys: [],
      yz: int8(),
    },
    {},
    ["int8[n, 4, 6, 6]"],
  ],
  [
    "QLinearMatMul",
    {
      a: uint8("n", 3),
      as: [],
      az: uint8(),
      b: int8(3, 4),
      bs: [],
      bz: int8(),
      ys: [],
      yz: uint8(),
    },
    {},
    ["uint8[n, 4]"],
  ],
  ["MatMulInteger", { a: uint8("n", 3), b: int8(3, 4) }, {}, ["int32[n, 4]"]],
  ["ConvInteger", { x: uint8(1, 1, 3, 3), w: uint8(1, 1, 2, 2) }, {}, ["int32[1, 1, 2, 2]"]],
  [
    "QLinearAdd",
    {
      a: uint8("n", 3),
      as: [],
      az: uint8(),
      b: uint8(3),
      bs: [],
      bz: uint8(),
      ys: [],
      yz: uint8(),
    },
    { domain: "com.microsoft" },
    ["uint8[n, 3]"],
  ],
  [
    "QLinearConcat",
    {
      ys: [],
      yz: uint8(),
      a: uint8("n", 3),
      as: [],
      az: uint8(),
      b: uint8("n", 4),
      bs: [],
      bz: uint8(),
    },
    { attributes: { axis: 1 }, domain: "com.microsoft" },
    ["uint8[n, 7]"],
  ],
  [
    "QLinearAveragePool",
    { x: uint8("n", 8, 8, 3), xs: [], xz: uint8(), ys: [], yz: uint8() },
    {
      attributes: { kernel_shape: [2, 2], strides: [2, 2], channels_last: 1 },
      domain: "com.microsoft",
    },
    ["uint8[n, 4, 4, 3]"],
  ],
  [
    "NhwcMaxPool",
    { x: uint8("n", 8, 8, 3) },
    { attributes: { kernel_shape: [2, 2] }, domain: "com.microsoft" },
    ["uint8[n, 7, 7, 3]"],
  ],
  [
    "QAttention",
    { x: uint8("n", "s", 8), w: int8(8, 24), b: [24], xs: [], ws: [] },
    { attributes: { num_heads: 2 }, domain: "com.microsoft" },
    ["float32[n, s, 8]"],
  ],
  ["Cast", { x: ["n"] }, { attributes: { to: 7 } }, ["int64[n]"]],
  ["Greater", { a: ["n", 1], b: [4] }, {}, ["bool[n, 4]"]],
  ["ArgMax", { x: ["n", 5] }, { attributes: { axis: 1, keepdims: 0 } }, ["int64[n]"]],
  ["OneHot", { i: int64("n"), d: scalar(6), v: [2] }, {}, ["float32[n, 6]"]],
  ["EyeLike", { x: ["n", "n"] }, { attributes: { dtype: 6 } }, ["int32[n, n]"]],
  [
    "LayerNormalization",
    { x: ["n", 4, 8], s: [8] },
    { outputs: 3 },
    ["float32[n, 4, 8]", "float32[n, 4, 1]", "float32[n, 4, 1]"],
  ],
  ["NonMaxSuppression", { b: [1, 9, 4], s: [1, 2, 9] }, {}, ["int64[nonmaxsuppression_1, 3]"]],
];

// The example in docs/Operators.md, AveragePool: ceil_mode leaves out windows that start in the padding.
const CORNERS: readonly Row[] = [
  [
    "MaxPool",
    { x: [1, 1, 4, 4] },
    { attributes: { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 } },
    ["float32[1, 1, 2, 2]"],
  ],
  [
    "AveragePool",
    { x: [1, 1, 2, 2] },
    { attributes: { kernel_shape: [1, 1], strides: [2, 2], ceil_mode: 1 }, opset: 19 },
    ["float32[1, 1, 1, 1]"],
  ],
  [
    "MaxPool",
    { x: [1, 1, 5, 5] },
    { attributes: { kernel_shape: [3, 3], strides: [2, 2], auto_pad: "SAME_LOWER" } },
    ["float32[1, 1, 3, 3]"],
  ],
  [
    "Slice",
    {
      x: [20, 10, 5],
      s: ints([20, 10, 4]),
      e: ints([0, 0, 1]),
      a: ints([0, 1, 2]),
      t: ints([-1, -3, -2]),
    },
    {},
    ["float32[19, 3, 2]"],
  ],
  [
    "Slice",
    { x: [20, 10, 5], s: ints([1]), e: ints([1000]), a: ints([1]) },
    {},
    ["float32[20, 9, 5]"],
  ],
  [
    "Reshape",
    { x: [0, 3, 4], t: ints([3, 4, 0]) },
    { attributes: { allowzero: 1 } },
    ["float32[3, 4, 0]"],
  ],
  ["Reshape", { x: [2, 3, 4], t: ints([2, 0, 1, -1]) }, {}, ["float32[2, 3, 1, 4]"]],
  [
    "Resize",
    { x: [1, 1, 2, 4], r: null, s: floats([1, 1, 0.6, 0.6]) },
    {},
    ["float32[1, 1, 1, 2]"],
  ],
  [
    "ConvTranspose",
    { x: [1, 1, 3, 3], w: [1, 2, 3, 3] },
    { attributes: { strides: [3, 2], output_shape: [10, 8] } },
    ["float32[1, 2, 10, 8]"],
  ],
  [
    "ConvTranspose",
    { x: [1, 1, 3, 3], w: [1, 2, 3, 3] },
    { attributes: { strides: [3, 2], output_padding: [1, 1] } },
    ["float32[1, 2, 10, 8]"],
  ],
  ["Range", { s: scalar(10), l: scalar(4), d: scalar(-2) }, {}, ["int64[3]"]],
  ["Gather", { x: [5, 4, 3], i: scalar(0) }, { attributes: { axis: 1 } }, ["float32[5, 3]"]],
  [
    "GatherND",
    { x: [2, 2, 2], i: ints([1, 0], [2, 1]) },
    { attributes: { batch_dims: 1 } },
    ["float32[2, 2]"],
  ],
];

const name = (row: Row): string => `${row[0]} ${JSON.stringify(row[2].attributes ?? {})}`;

describe.each([
  ["symbols", SYMBOLIC],
  ["opsets", OPSETS],
  ["element types", TYPES],
  ["corner cases", CORNERS],
])("%s", (_, rows) => {
  test.each(rows.map((row) => [name(row), row] as const))(
    "%s",
    (_name, [opType, inputs, options, expected]) => {
      expect(outputs(opType, inputs, options)).toEqual(expected);
    },
  );
});

// onnx, docs/Operators.md, version 1.18 (opset 23): every operator that is not deprecated in favour of
// another, and Scatter and Upsample, which older models have.
const STANDARD = `
Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization
Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad
Clip Col2Im Compress Concat ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh
CumSum DFT DeformConv DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp
Expand EyeLike Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool
GlobalMaxPool Greater GreaterOrEqual GridSample GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish
Hardmax Identity If ImageDecoder InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less
LessOrEqual Log LogSoftmax Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean
MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Multinomial Neg NegativeLogLikelihoodLoss
NonMaxSuppression NonZero Not OneHot Optional OptionalGetElement OptionalHasElement Or PRelu Pad Pow QLinearConv
QLinearMatMul QuantizeLinear RMSNormalization RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike
Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum
ReduceSumSquare RegexFullMatch Relu Reshape Resize ReverseSequence RoiAlign RotaryEmbedding Round STFT Scan Scatter
ScatterElements ScatterND Selu SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax SoftmaxCrossEntropyLoss Softplus
Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat StringNormalizer StringSplit Sub Sum Tan Tanh
TfIdfVectorizer ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Upsample Where Xor`;

test("every operator of ai.onnx to opset 23 has a rule", () => {
  const missing = STANDARD.trim()
    .split(/\s+/)
    .filter((operator) => !Object.hasOwn(OPERATORS[""] ?? {}, operator));
  expect(missing).toEqual([]);
});
