// Operators of com.microsoft that ONNX Runtime's optimiser, quantiser and transformer tools write
// (onnxruntime, docs/ContribOperators.md).

import { add, maximum, product, type Size } from "../dimension.ts";
import { floorDivide } from "../dimension-division.ts";
import type { Shape } from "../inferred-type.ts";
import {
  axisOf,
  axisSize,
  elementTypeAt,
  fault,
  hasInput,
  intOf,
  intsOf,
  type Operation,
  type Rules,
  scalarAt,
  shapeAt,
  shapeFromRank,
  shapeOfRank,
  tensors,
  typed,
  typeOfInput,
} from "../operation.ts";
import { broadcast } from "./broadcast.ts";
import { convolutions, convolve, globalPool, pool } from "./convolution.ts";
import { creation } from "./creation.ts";
import { broadcasting, elementwise, ruleFor, unary } from "./elementwise.ts";
import { concat, gathering } from "./gather.ts";
import { gemm, matmul } from "./matrix.ts";
import { normalisation } from "./normalisation.ts";
import { quantisation } from "./quantisation.ts";
import { signals } from "./signal.ts";
import { slide, windowOf } from "./window.ts";

const UNARY =
  "BiasAdd BiasGelu BiasSoftmax FastGelu Gelu GroupNorm Inverse LongformerAttention MoE QMoE QLinearLeakyRelu QLinearSigmoid " +
  "QLinearSoftmax QuickGelu RotaryEmbedding Trilu";

/** Applies a rule for channels-first tensors to one with the channels last, when told so. */
function channelsLast(rule: (operation: Operation) => Shape, always: "always" | "if told") {
  return (operation: Operation): Shape => {
    if (always === "if told" && intOf(operation, "channels_last", 0) === 0) return rule(operation);
    const shape = shapeFromRank(operation, 0, 2);
    const first = [axisSize(shape, 0), axisSize(shape, -1), ...shape.slice(1, -1)];
    const [data, ...others] = operation.inputs;
    if (data == null || data.type.kind !== "tensor") fault("input 0 is missing");
    const turned = { ...data, type: { ...data.type, shape: first } };
    const [batch = 1, channels = 1, ...space] = rule({ ...operation, inputs: [turned, ...others] });
    return [batch, ...space, channels];
  };
}

const pooled = (operation: Operation): Shape => pool(operation)[0] ?? [];
const globallyPooled = (operation: Operation): Shape => globalPool(operation)[0] ?? [];

/** Weights of NhwcConv have their channels last too. */
function nhwcConvolution(operation: Operation): Shape {
  const [batch = 1, ...rest] = shapeFromRank(operation, 0, 3);
  const [filters = 1, ...kernel] = shapeFromRank(operation, 1, 3);
  const space = rest.slice(0, -1);
  return [batch, ...slide(space, windowOf(operation, space.length, kernel.slice(0, -1))), filters];
}

/** `transBatchA` moves the first axis in front of the last one, as heads stand in attention. */
function fusedMatmul(operation: Operation): Shape {
  const side = (index: number, letter: "A" | "B"): Shape => {
    const shape = shapeAt(operation, index);
    if (shape.length < 2) return shape;
    const [first = 1, ...rest] = shape;
    const batched = intOf(operation, `transBatch${letter}`, 0) === 1;
    const moved = batched ? [...rest.slice(0, -1), first, ...rest.slice(-1)] : shape;
    if (intOf(operation, `trans${letter}`, 0) === 0) return moved;
    return [...moved.slice(0, -2), axisSize(moved, -1), axisSize(moved, -2)];
  };
  return matmul(side(0, "A"), side(1, "B"));
}

/** Weights of few bits: their shape is in the attributes. */
function packedMatmul(operation: Operation): Shape {
  const shape = shapeFromRank(operation, 0, 1);
  return [...shape.slice(0, -1), intOf(operation, "N", 0)];
}

/** Query, key and value come from one product; `past` is the input that holds earlier ones. */
function selfAttention(operation: Operation, past: number): readonly Shape[] {
  const [batch = 1, length = 1] = shapeOfRank(operation, 0, 3);
  const weights = axisSize(shapeOfRank(operation, 1, 2), 1);
  const sizes = intsOf(operation, "qkv_hidden_sizes");
  const hidden = sizes?.[2] ?? floorDivide(weights, 3);
  const heads = intOf(operation, "num_heads", 0);
  if (heads < 1) fault("attribute num_heads is missing");
  const before = hasInput(operation, past) ? axisSize(shapeOfRank(operation, past, 5), 3) : 0;
  const shared = intOf(operation, "past_present_share_buffer", 0) === 1;
  const present = [
    2,
    batch,
    heads,
    shared ? before : add(before, length),
    floorDivide(hidden, heads),
  ];
  return [[batch, length, hidden], present];
}

/** Keys and values may come packed ([batch, length, heads, 2 or 3, size]) or with their heads apart. */
function multiHeadAttention(operation: Operation): readonly Shape[] {
  const heads = intOf(operation, "num_heads", 0);
  if (heads < 1) fault("attribute num_heads is missing");
  const query = shapeFromRank(operation, 0, 3);
  const [batch = 1, length = 1] = query;
  const head = query.length === 5 ? axisSize(query, 4) : floorDivide(axisSize(query, 2), heads);
  const value = valueHeads(operation, { heads, head, length });
  const before = hasInput(operation, 6) ? axisSize(shapeOfRank(operation, 6, 4), 2) : 0;
  const shared = intOf(operation, "past_present_share_buffer", 0) === 1 || hasInput(operation, 8);
  const all = shared ? before : add(before, value.length);
  return [
    [batch, length, product([heads, value.size])],
    [batch, heads, all, head],
    [batch, heads, all, value.size],
    [batch, heads, length, all],
  ];
}

function valueHeads(
  operation: Operation,
  query: { readonly heads: number; readonly head: Size; readonly length: Size },
): { readonly length: Size; readonly size: Size } {
  const packed = !hasInput(operation, 1);
  if (packed) return { length: query.length, size: query.head };
  const key = shapeAt(operation, 1);
  if (!hasInput(operation, 2)) return { length: axisSize(key, 1), size: query.head };
  const value = shapeFromRank(operation, 2, 3);
  if (value.length === 4) return { length: axisSize(value, 2), size: axisSize(value, 3) };
  return { length: axisSize(value, 1), size: floorDivide(axisSize(value, 2), query.heads) };
}

/** Fewer heads for keys and values than for queries; without key and value the query holds all. */
function groupQueryAttention(operation: Operation): readonly Shape[] {
  const [batch = 1, length = 1, hidden = 1] = shapeOfRank(operation, 0, 3);
  const heads = intOf(operation, "num_heads", 0);
  const groups = intOf(operation, "kv_num_heads", 0);
  if (heads < 1 || groups < 1) fault("attributes num_heads and kv_num_heads are missing");
  const packed = !hasInput(operation, 1);
  const head = floorDivide(hidden, packed ? heads + 2 * groups : heads);
  const before = hasInput(operation, 3) ? axisSize(shapeOfRank(operation, 3, 4), 2) : 0;
  const total = scalarAt(operation, 6) ?? add(before, length);
  // A buffer for past and present is as long as the longest sequence from the start.
  const present = [batch, groups, maximum(before, total), head];
  return [[batch, length, product([heads, head])], present, present];
}

function embedLayerNormalization(operation: Operation): readonly Shape[] {
  const [batch = 1, length = 1] = shapeOfRank(operation, 0, 2);
  const hidden = axisSize(shapeOfRank(operation, 2, 2), 1);
  const embedded = [batch, length, hidden];
  return [embedded, [batch], embedded];
}

/** The sum of input, skip and bias is the fourth output; statistics are only written in training. */
const skipNormalization = tensors(
  (operation) => {
    const shape = shapeFromRank(operation, 0, 2);
    const statistics = shape.with(-1, 1);
    return [shape, statistics, statistics, shape];
  },
  (operation) => [elementTypeAt(operation, 0), "float32", "float32", elementTypeAt(operation, 0)],
);

/** y_scale, y_zero_point, then each input with its scale and zero point. */
function quantisedConcat(operation: Operation): Shape {
  const shapes = operation.inputs.flatMap((_, index) =>
    index >= 2 && index % 3 === 2 ? [shapeAt(operation, index)] : [],
  );
  return concat(shapes, intOf(operation, "axis", 0));
}

function quantisedMean(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const stated = intsOf(operation, "axes") ?? shape.map((_, axis) => axis);
  const axes = new Set(stated.map((axis) => axisOf(axis, shape.length)));
  return intOf(operation, "keepdims", 1) === 1
    ? shape.map((size, axis) => (axes.has(axis) ? 1 : size))
    : shape.filter((_, axis) => !axes.has(axis));
}

const quantisedPair = tensors((operation) => [
  broadcast(shapeAt(operation, 0), shapeAt(operation, 3)),
]);

const product01 = (operation: Operation): readonly Shape[] => [
  matmul(shapeAt(operation, 0), shapeAt(operation, 1)),
];

const quantisedLstm = tensors((operation) => {
  const [length = 1, batch = 1] = shapeOfRank(operation, 0, 3);
  const [directions = 1, hidden = 1] = shapeOfRank(operation, 2, 3);
  const last = [directions, batch, hidden];
  return [[length, directions, batch, hidden], last, last];
});

const only = <T extends string>(rules: Rules, ...names: readonly T[]): Rules =>
  Object.fromEntries(
    Object.entries(rules).filter(([name]) => names.some((wanted) => wanted === name)),
  );

export const microsoft: Rules = {
  ...ruleFor(UNARY, unary),
  ...only(creation, "Range"),
  ...only(gathering, "GatherND", "Pad"),
  ...only(signals, "GridSample"),
  ...quantisation,
  ...only(normalisation, "LayerNormalization", "SimplifiedLayerNormalization"),
  Attention: tensors((operation) => selfAttention(operation, 4)),
  QAttention: tensors((operation) => selfAttention(operation, 8), typeOfInput(3)),
  MultiHeadAttention: tensors(multiHeadAttention),
  DecoderMaskedMultiHeadAttention: tensors(multiHeadAttention),
  GroupQueryAttention: tensors(groupQueryAttention),
  EmbedLayerNormalization: tensors(embedLayerNormalization, (operation) => {
    const type = elementTypeAt(operation, 2);
    return [type, "int32", type];
  }),
  SkipLayerNormalization: skipNormalization,
  SkipSimplifiedLayerNormalization: skipNormalization,
  BiasDropout: elementwise["Dropout"] ?? unary,
  BiasSplitGelu: tensors((operation) => {
    const shape = shapeFromRank(operation, 0, 1);
    return [shape.with(-1, floorDivide(axisSize(shape, -1), 2))];
  }),
  ComplexMul: broadcasting,
  ComplexMulConj: broadcasting,
  FusedConv: convolutions["Conv"] ?? unary,
  NhwcConv: tensors((operation) => [nhwcConvolution(operation)]),
  NhwcFusedConv: tensors((operation) => [nhwcConvolution(operation)]),
  QLinearConv: tensors(
    (operation) => [channelsLast((turned) => convolve(turned, 3), "if told")(operation)],
    typeOfInput(7),
  ),
  NhwcMaxPool: tensors((operation) => [channelsLast(pooled, "always")(operation)]),
  QLinearAveragePool: tensors((operation) => [channelsLast(pooled, "if told")(operation)]),
  QLinearGlobalAveragePool: tensors((operation) => [
    channelsLast(globallyPooled, "if told")(operation),
  ]),
  FusedMatMul: tensors((operation) => [fusedMatmul(operation)]),
  FusedMatMulActivation: tensors((operation) => [fusedMatmul(operation)]),
  TransposeMatMul: tensors((operation) => [fusedMatmul(operation)]),
  FusedGemm: tensors((operation) => [gemm(operation, [0, 1])]),
  GemmFastGelu: tensors(product01),
  QGemm: tensors(
    (operation) => [gemm(operation, [0, 3])],
    (operation) => [elementTypeAt(operation, 8) ?? "float32"],
  ),
  MatMulNBits: tensors((operation) => [packedMatmul(operation)]),
  MatMulBnb4: tensors((operation) => [packedMatmul(operation)]),
  DynamicQuantizeMatMul: tensors(product01),
  MatMulIntegerToFloat: tensors(product01, typeOfInput(2)),
  MatMulInteger16: tensors(product01, typed("int32")),
  DynamicQuantizeLSTM: quantisedLstm,
  QLinearAdd: quantisedPair,
  QLinearMul: quantisedPair,
  QLinearConcat: tensors((operation) => [quantisedConcat(operation)], typeOfInput(1)),
  QLinearReduceMean: tensors((operation) => [quantisedMean(operation)]),
  QLinearWhere: tensors(
    (operation) => [broadcast(shapeAt(operation, 0), shapeAt(operation, 1), shapeAt(operation, 4))],
    typeOfInput(1),
  ),
  CDist: tensors((operation) => [
    [axisSize(shapeOfRank(operation, 0, 2), 0), axisSize(shapeOfRank(operation, 1, 2), 0)],
  ]),
  ExpandDims: tensors((operation) => {
    const shape = shapeAt(operation, 0);
    const axis = scalarAt(operation, 1);
    if (typeof axis !== "number") return [null];
    return [shape.toSpliced(axisOf(axis, shape.length + 1), 0, 1)];
  }),
};
