// Small networks put together from blocks at random, with every way in which channels hang together:
// for properties that must hold for any network.

import { type GraphBuilder, type Model, modelBuilder } from "../../src/onnx/index.ts";
import { randomFloats } from "../onnx-runtime.ts";
import { operators } from "../operators.ts";

/** Blocks on feature maps [1, channels, 8, 8]. */
export const MAP_BLOCKS = [
  "conv",
  "pointwise",
  "depthwise",
  "grouped",
  "residual",
  "residual-projected",
  "concat",
  "squeeze-excite",
  "split",
  "slice",
  "pool",
  "shared",
  "transposed",
] as const;

/** What comes after the last map: how it becomes rows, and blocks on rows. */
export const HEADS = ["flatten", "global-pool", "channels-last", "attention", "reshape"] as const;

type MapBlock = (typeof MAP_BLOCKS)[number];
type Head = (typeof HEADS)[number];

export interface NetPlan {
  readonly blocks: readonly MapBlock[];
  readonly head: Head;
  readonly seed: number;
}

interface Net {
  readonly graph: GraphBuilder;
  /** A stored tensor of random values around 0, about as large as keeps activations in range. */
  weight(dims: readonly number[], spread?: number): string;
  /** Random values around 1. */
  factors(size: number): string;
}

/** The network of a plan; its input is `x` [1, 4, 8, 8], its output `y`. */
export function randomNet({ blocks, head, seed }: NetPlan): Model {
  const graph = modelBuilder({ operators });
  let draws = seed;
  const draw = (dims: readonly number[]): Float32Array =>
    randomFloats(dims, ++draws).data as Float32Array;
  const net: Net = {
    graph,
    weight(dims, spread = 1) {
      const fan = dims.slice(1).reduce((product, dim) => product * dim, 1);
      const values = draw(dims).map((value) => (value * spread) / Math.sqrt(Math.max(1, fan)));
      return graph.constant("float32", { dims, values });
    },
    factors: (size) =>
      graph.constant("float32", { dims: [size], values: draw([size]).map((v) => 1 + v / 4) }),
  };
  let map = conv(net, graph.input("x", "float32", [1, 4, 8, 8]), [4, 12]);
  for (const block of blocks) map = BLOCKS[block](net, map);
  graph.output(headOf(net, map, head), { name: "y" });
  return graph.finish();
}

interface ConvParts {
  readonly kernel?: number;
  readonly group?: number;
  readonly norm?: boolean;
}

function conv(
  { graph, weight, factors }: Net,
  x: string,
  [from, to]: readonly [number, number],
  { kernel = 3, group = 1, norm = true }: ConvParts = {},
): string {
  const pad = (kernel - 1) / 2;
  const y = graph.op("Conv", [x, weight([to, from / group, kernel, kernel]), weight([to])], {
    kernel_shape: [kernel, kernel],
    pads: [pad, pad, pad, pad],
    group,
  });
  if (!norm) return graph.op("Relu", [y]);
  const statistics = [factors(to), weight([to]), weight([to], 0.2), factors(to)];
  return graph.op("Relu", [graph.op("BatchNormalization", [y, ...statistics])]);
}

const CHANNELS = 12;
const int64 = (graph: GraphBuilder, values: readonly number[]): string =>
  graph.constant("int64", { dims: [values.length], values: values.map(BigInt) });

const BLOCKS: Readonly<Record<MapBlock, (net: Net, x: string) => string>> = {
  conv: (net, x) => conv(net, x, [CHANNELS, CHANNELS]),
  pointwise: (net, x) => conv(net, x, [CHANNELS, CHANNELS], { kernel: 1, norm: false }),
  depthwise: (net, x) => conv(net, x, [CHANNELS, CHANNELS], { group: CHANNELS }),
  grouped: (net, x) => conv(net, x, [CHANNELS, CHANNELS], { group: 3 }),
  residual: (net, x) => net.graph.op("Add", [x, conv(net, x, [CHANNELS, CHANNELS])]),
  "residual-projected"(net, x) {
    const inner = conv(net, conv(net, x, [CHANNELS, 8]), [8, CHANNELS], { norm: false });
    return net.graph.op("Add", [inner, conv(net, x, [CHANNELS, CHANNELS], { kernel: 1 })]);
  },
  concat(net, x) {
    const parts = [conv(net, x, [CHANNELS, 8]), x, conv(net, x, [CHANNELS, 4], { kernel: 1 })];
    return conv(net, net.graph.op("Concat", parts, { axis: 1 }), [CHANNELS + 12, CHANNELS]);
  },
  "squeeze-excite"(net, x) {
    const pooled = net.graph.op("GlobalAveragePool", [x]);
    const small = conv(net, pooled, [CHANNELS, 4], { kernel: 1, norm: false });
    const { graph, weight } = net;
    const gates = graph.op("Conv", [small, weight([CHANNELS, 4, 1, 1]), weight([CHANNELS])]);
    return graph.op("Mul", [x, graph.op("HardSigmoid", [gates])]);
  },
  split(net, x) {
    const { graph } = net;
    const sizes = int64(graph, [4, 8]);
    const [a = "", b = ""] = graph.ops("Split", [x, sizes], {
      outputs: 2,
      attributes: { axis: 1 },
    });
    return graph.op("Concat", [conv(net, a, [4, 4]), b], { axis: 1 });
  },
  slice(net, x) {
    const { graph } = net;
    const part = graph.op("Slice", [x, int64(graph, [2]), int64(graph, [10]), int64(graph, [1])]);
    return conv(net, part, [8, CHANNELS]);
  },
  pool(net, x) {
    const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    const pooled = net.graph.op("MaxPool", [x], attributes);
    return net.graph.op("Add", [pooled, net.graph.op("AveragePool", [x], attributes)]);
  },
  // One kernel read by two nodes.
  shared(net, x) {
    const kernel = net.weight([CHANNELS, CHANNELS, 1, 1]);
    const once = net.graph.op("Tanh", [net.graph.op("Conv", [x, kernel])]);
    return net.graph.op("Tanh", [net.graph.op("Conv", [once, kernel])]);
  },
  transposed(net, x) {
    const { graph, weight } = net;
    const y = graph.op("ConvTranspose", [
      x,
      weight([CHANNELS, CHANNELS, 1, 1]),
      weight([CHANNELS]),
    ]);
    return graph.op("Relu", [y]);
  },
};

function headOf(net: Net, map: string, head: Head): string {
  const { graph, weight } = net;
  const rows = head === "flatten" || head === "reshape" ? CHANNELS * 64 : CHANNELS;
  const hidden = 10;
  const dense = (x: string, from: number): string => {
    const inner = graph.op("Gemm", [x, weight([hidden, from]), weight([hidden])], { transB: 1 });
    return graph.op("MatMul", [graph.op("Relu", [inner]), weight([hidden, 3])]);
  };
  switch (head) {
    case "flatten":
      return dense(graph.op("Flatten", [map]), rows);
    case "reshape":
      return dense(graph.op("Reshape", [map, int64(graph, [1, -1])]), rows);
    case "global-pool":
      return dense(graph.op("Flatten", [graph.op("GlobalAveragePool", [map])]), rows);
    case "channels-last": {
      const turned = graph.op("Transpose", [map], { perm: [0, 2, 3, 1] });
      const flat = graph.op("Reshape", [turned, int64(graph, [1, 64 * CHANNELS])]);
      return dense(flat, 64 * CHANNELS);
    }
    case "attention":
      return attention(net, map);
    default:
      return head satisfies never;
  }
}

/** Two blocks of a transformer over 64 positions of 12 channels, with 3 heads of 4. */
function attention(net: Net, map: string): string {
  const { graph, weight } = net;
  const tokens = graph.op(
    "Transpose",
    [graph.op("Reshape", [map, int64(graph, [1, CHANNELS, 64])])],
    { perm: [0, 2, 1] },
  );
  const norm = (x: string): string =>
    graph.op("LayerNormalization", [x, net.factors(CHANNELS), weight([CHANNELS])]);
  const project = (x: string, from: number, to: number): string =>
    graph.op("Add", [graph.op("MatMul", [x, weight([from, to])]), weight([to])]);
  const heads = (x: string, perm: readonly number[]): string =>
    graph.op("Transpose", [graph.op("Reshape", [x, int64(graph, [0, 64, 3, 4])])], { perm });
  const normed = norm(tokens);
  const [q, k, v] = [0, 1, 2].map(() => project(normed, CHANNELS, CHANNELS));
  const scores = graph.op("MatMul", [heads(q ?? "", [0, 2, 1, 3]), heads(k ?? "", [0, 2, 3, 1])]);
  const mixed = graph.op("MatMul", [
    graph.op("Softmax", [scores], { axis: -1 }),
    heads(v ?? "", [0, 2, 1, 3]),
  ]);
  const joined = graph.op("Reshape", [
    graph.op("Transpose", [mixed], { perm: [0, 2, 1, 3] }),
    int64(graph, [0, 64, 12]),
  ]);
  const after = graph.op("Add", [tokens, project(joined, CHANNELS, CHANNELS)]);
  const wide = graph.op("Gelu", [project(norm(after), CHANNELS, 16)]);
  const out = graph.op("Add", [after, project(wide, 16, CHANNELS)]);
  return graph.op("MatMul", [
    graph.op("ReduceMean", [out, int64(graph, [1])], { keepdims: 0 }),
    weight([CHANNELS, 3]),
  ]);
}
