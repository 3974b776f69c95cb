// ONNX operators in the words of TensorFlow, whose names and layouts (NHWC, HWIO) the rules of tfprof and
// of the greenness toolkit are written in. Only sizes are translated, and only fixed ones.

import { attributeOf, intOf, intsOf, type Shape } from "../../onnx/index.ts";
import type { FlopNode } from "../methods/flop-rules.ts";
import { hasInput, inputShape, outputShape, type Site, Uncountable } from "./site.ts";

/** A TensorFlow operator with its shapes. */
export interface TensorFlowNode {
  readonly type: string;
  readonly node: FlopNode;
}

/** TensorFlow's name for operators that work element by element. */
const SAME: Readonly<Record<string, string>> = {
  Abs: "Abs",
  Add: "AddV2",
  Ceil: "Ceil",
  Clip: "Relu6",
  Cos: "Cos",
  Div: "RealDiv",
  Elu: "Elu",
  Equal: "Equal",
  Erf: "Erf",
  Exp: "Exp",
  Floor: "Floor",
  Greater: "Greater",
  GreaterOrEqual: "GreaterEqual",
  LeakyRelu: "LeakyRelu",
  Less: "Less",
  LessOrEqual: "LessEqual",
  Log: "Log",
  LogSoftmax: "LogSoftmax",
  Mul: "Mul",
  Neg: "Neg",
  Pow: "Pow",
  Reciprocal: "Reciprocal",
  Relu: "Relu",
  Round: "Round",
  Selu: "Selu",
  Sigmoid: "Sigmoid",
  Sign: "Sign",
  Sin: "Sin",
  Softmax: "Softmax",
  Softplus: "Softplus",
  Sqrt: "Sqrt",
  Sub: "Sub",
  Tanh: "Tanh",
};

const REDUCTIONS: Readonly<Record<string, string>> = {
  ArgMax: "ArgMax",
  ArgMin: "ArgMin",
  GlobalAveragePool: "Mean",
  ReduceMean: "Mean",
  ReduceSum: "Sum",
};

/** The operators that stand for a node; null when TensorFlow has none that either tool counts. */
export function translate(site: Site): readonly TensorFlowNode[] | null {
  const { node } = site;
  if ((node.domain ?? "") !== "" && node.domain !== "ai.onnx") return null;
  const same = SAME[node.opType] ?? REDUCTIONS[node.opType];
  if (same !== undefined) return [{ type: same, node: plain(site) }];
  switch (node.opType) {
    case "Conv":
      return convolution(site);
    case "Gemm":
      return withBias(site, 2, { type: "MatMul", node: gemm(site) });
    case "MatMul":
      return matrixProduct(site);
    case "AveragePool":
      return [{ type: "AvgPool", node: { ...plain(site), window: windowOf(site) } }];
    case "MaxPool":
      return [{ type: "MaxPool", node: { ...plain(site), window: windowOf(site) } }];
    case "Sum":
      return [{ type: "AddN", node: plain(site) }];
    case "Max":
    case "Min":
      return node.inputs.length === 2
        ? [{ type: node.opType === "Max" ? "Maximum" : "Minimum", node: plain(site) }]
        : null;
    default:
      return null;
  }
}

/** Sizes that are all chosen. Throws Uncountable for symbols: these tools need defined shapes. */
function fixed(shape: Shape): readonly number[] {
  return shape.map((size) => {
    if (typeof size !== "number")
      throw new Uncountable("its sizes are not chosen; give the inputs");
    return size;
  });
}

const input = (site: Site, index: number): readonly number[] => fixed(inputShape(site, index));
const output = (site: Site): readonly number[] => fixed(outputShape(site));

const plain = (site: Site): FlopNode => ({
  inputs: site.node.inputs.flatMap((name, index) => (name === "" ? [] : [input(site, index)])),
  outputs: [output(site)],
});

/** [N, C, H, W] as [N, H, W, C]; a sequence gets a height of 1, as TensorFlow gives it. */
function channelsLast([batch = 1, channels = 1, ...space]: readonly number[]): readonly number[] {
  const [height, width] = space.length === 1 ? [1, space[0] ?? 1] : [space[0] ?? 1, space[1] ?? 1];
  return [batch, height, width, channels];
}

function convolution(site: Site): readonly TensorFlowNode[] | null {
  const [filters = 1, depth = 1, ...kernel] = input(site, 1);
  if (kernel.length > 2) return null;
  const [height, width] =
    kernel.length === 1 ? [1, kernel[0] ?? 1] : [kernel[0] ?? 1, kernel[1] ?? 1];
  const image = channelsLast(input(site, 0));
  const channels = image[3] ?? 1;
  const group = intOf(site.node, "group", 1);
  const depthwise = group === channels && depth === 1 && group > 1;
  const filter = depthwise
    ? [height, width, channels, filters / channels]
    : [height, width, depth, filters];
  const strides = intsOf(site.node, "strides", null) ?? [1, 1];
  const [down, across] =
    strides.length === 1 ? [1, strides[0] ?? 1] : [strides[0] ?? 1, strides[1] ?? 1];
  return withBias(site, 2, {
    type: depthwise ? "DepthwiseConv2dNative" : "Conv2D",
    node: {
      inputs: [paddedImage(image, site, kernel.length), filter],
      outputs: [channelsLast(output(site))],
      strides: [1, down, across, 1],
      padding: "VALID",
    },
  });
}

/** The image with its padding written out, which VALID padding then gives the same output for. */
function paddedImage(image: readonly number[], site: Site, axes: number): readonly number[] {
  const [batch = 1, , , channels = 1] = image;
  const [, outHeight = 1, outWidth = 1] = channelsLast(output(site));
  const filter = input(site, 1).slice(2);
  const strides = intsOf(site.node, "strides", null) ?? [];
  const along = (size: number, axis: number): number =>
    (size - 1) * (strides[axis] ?? 1) + (filter[axis] ?? 1);
  const height = axes === 1 ? 1 : along(outHeight, 0);
  return [batch, height, along(outWidth, axes - 1), channels];
}

function withBias(site: Site, bias: number, node: TensorFlowNode): readonly TensorFlowNode[] {
  if (!hasInput(site, bias)) return [node];
  const sum = output(site);
  return [node, { type: "BiasAdd", node: { inputs: [sum, [sum.at(-1) ?? 1]], outputs: [sum] } }];
}

const gemm = (site: Site): FlopNode => ({
  inputs: [input(site, 0), input(site, 1)],
  outputs: [output(site)],
  transposeA: intOf(site.node, "transA", 0) === 1,
  transposeB: intOf(site.node, "transB", 0) === 1,
});

/** A stack times one matrix is one product of all rows, as `tf.tensordot` does it. */
function matrixProduct(site: Site): readonly TensorFlowNode[] {
  const [a, b] = [input(site, 0), input(site, 1)];
  if (b.length !== 2) return [{ type: "BatchMatMulV2", node: plain(site) }];
  const depth = a.at(-1) ?? 1;
  const rows = a.slice(0, -1).reduce((product, size) => product * size, 1);
  return [
    {
      type: "MatMul",
      node: { inputs: [[rows, depth], b], outputs: [[rows, b[1] ?? 1]] },
    },
  ];
}

function windowOf(site: Site): readonly number[] {
  if (attributeOf(site.node, "kernel_shape") === null)
    throw new Uncountable("attribute kernel_shape is missing");
  return [1, ...(intsOf(site.node, "kernel_shape", null) ?? []), 1];
}
