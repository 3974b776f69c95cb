// The four models whose training steps are compared (reference.py builds the same), and one batch each.

import { createRandom, type Random } from "../../src/core/index.ts";
import type { Feed } from "../../src/engine/index.ts";
import {
  DEFAULT_OPSET,
  type GraphBuilder,
  type Model,
  modelBuilder,
  type OperatorTable,
  tensorOf,
} from "../../src/onnx/index.ts";

/** A model with the weights it starts from and the batch that it is trained on. */
export interface Contestant {
  readonly name: string;
  readonly model: Model;
  /** Sizes of its input, the batch first. */
  readonly input: { readonly name: string; readonly dims: readonly number[] };
  readonly feeds: Readonly<Record<string, Feed>>;
  /** Names and sizes of its parameters, in the order in which reference.py takes them. */
  readonly parameters: readonly Weight[];
}

export interface Weight {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

const CLASSES = 10;

/** Grows a model and keeps what it was given for weights. */
class Build {
  readonly graph: GraphBuilder & { finish(): Model };
  readonly weights: Weight[] = [];
  readonly #random: Random;

  constructor(operators: OperatorTable, name: string, seed: number) {
    this.graph = modelBuilder({ operators, name, opsets: { "": DEFAULT_OPSET } });
    this.#random = createRandom(seed);
  }

  /** Normal numbers of a deviation around a centre, stored and trained. */
  weight(name: string, dims: readonly number[], deviation: number, centre = 0): string {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const values = Float32Array.from(
      { length: size },
      () => centre + deviation * this.#random.normal(),
    );
    this.weights.push({ name, dims, values });
    return this.graph.initializer(name, tensorOf("float32", { dims, values }));
  }

  /** x W + b with W [inputs, outputs]. */
  dense(name: string, x: string, inputs: number, outputs: number): string {
    const w = this.weight(`${name}.weight`, [inputs, outputs], Math.sqrt(1 / inputs));
    const b = this.weight(`${name}.bias`, [outputs], 0.01);
    return this.graph.op("Gemm", [x, w, b]);
  }

  conv(
    name: string,
    x: string,
    of: {
      readonly dims: readonly [number, number, number, number];
      readonly bias?: boolean;
      readonly stride?: number;
      readonly pad?: number;
      readonly group?: number;
    },
  ): string {
    const [, channels, height, width] = of.dims;
    const deviation = Math.sqrt(2 / (channels * height * width));
    const w = this.weight(`${name}.weight`, of.dims, deviation);
    const b = of.bias ? [this.weight(`${name}.bias`, [of.dims[0]], 0.01)] : [];
    const { stride = 1, pad = 0, group = 1 } = of;
    return this.graph.op("Conv", [x, w, ...b], {
      kernel_shape: [height, width],
      pads: [pad, pad, pad, pad],
      strides: [stride, stride],
      group,
    });
  }

  batchNorm(name: string, x: string, channels: number): string {
    const scale = this.weight(`${name}.scale`, [channels], 0.1, 1);
    const shift = this.weight(`${name}.shift`, [channels], 0.1);
    const stored = (what: string, value: number): string =>
      this.graph.initializer(
        `${name}.${what}`,
        tensorOf("float32", {
          dims: [channels],
          values: new Float32Array(channels).fill(value),
        }),
      );
    return this.graph.op("BatchNormalization", [
      ...[x, scale, shift],
      ...[stored("mean", 0), stored("variance", 1)],
    ]);
  }
}

/** 784-512-512-10, batch 128. */
export function mlp(operators: OperatorTable): Contestant {
  const build = new Build(operators, "mlp", 1);
  const { graph } = build;
  let x = graph.input("x", "float32", ["batch", 784]);
  x = graph.op("Relu", [build.dense("a", x, 784, 512)]);
  x = graph.op("Relu", [build.dense("b", x, 512, 512)]);
  graph.output(build.dense("c", x, 512, CLASSES), { name: "scores" });
  return contestant(build, images([128, 784]));
}

/** LeNet-5 with max pooling on 28 x 28, batch 128. */
export function lenet(operators: OperatorTable): Contestant {
  const build = new Build(operators, "lenet", 2);
  const { graph } = build;
  const pooled = (x: string): string =>
    graph.op("MaxPool", [graph.op("Relu", [x])], { kernel_shape: [2, 2], strides: [2, 2] });
  let x = graph.input("x", "float32", ["batch", 1, 28, 28]);
  x = pooled(build.conv("a", x, { dims: [6, 1, 5, 5], pad: 2, bias: true }));
  x = pooled(build.conv("b", x, { dims: [16, 6, 5, 5], bias: true }));
  x = graph.op("Flatten", [x]);
  x = graph.op("Relu", [build.dense("c", x, 400, 120)]);
  x = graph.op("Relu", [build.dense("d", x, 120, 84)]);
  graph.output(build.dense("e", x, 84, CLASSES), { name: "scores" });
  return contestant(build, images([128, 1, 28, 28]));
}

const WIDTHS = [32, 64, 128, 128, 256, 256] as const;
const STRIDES = [1, 2, 1, 2, 1] as const;

/** A stem and five depthwise-separable blocks on 32 x 32, batch 64. */
export function mobilenetLike(operators: OperatorTable): Contestant {
  const build = new Build(operators, "mobilenet-like", 3);
  const { graph } = build;
  const normed = (name: string, x: string, channels: number): string =>
    graph.op("Relu", [build.batchNorm(name, x, channels)]);
  let x = graph.input("x", "float32", ["batch", 3, 32, 32]);
  x = normed("stem.norm", build.conv("stem", x, { dims: [WIDTHS[0], 3, 3, 3], pad: 1 }), WIDTHS[0]);
  STRIDES.forEach((stride, at) => {
    const [from, to] = [WIDTHS[at] ?? 0, WIDTHS[at + 1] ?? 0];
    const depthwise = { dims: [from, 1, 3, 3], pad: 1, stride, group: from } as const;
    x = normed(`${at}.deep.norm`, build.conv(`${at}.deep`, x, depthwise), from);
    x = normed(`${at}.point.norm`, build.conv(`${at}.point`, x, { dims: [to, from, 1, 1] }), to);
  });
  x = graph.op("Flatten", [graph.op("GlobalAveragePool", [x])]);
  graph.output(build.dense("head", x, WIDTHS[5], CLASSES), { name: "scores" });
  return contestant(build, images([64, 3, 32, 32]));
}

const [WIDTH, LAYERS, HEADS, INNER, LENGTH, TOKENS] = [128, 4, 4, 512, 128, 1000];

/** A pre-norm encoder with exact GELU, sequences of 128 of 1000 tokens, batch 16. */
export function transformer(operators: OperatorTable): Contestant {
  const build = new Build(operators, "transformer", 4);
  const { graph } = build;
  const ids = graph.input("x", "int64", ["batch", LENGTH]);
  const shape = (...values: readonly number[]): string =>
    graph.constant("int64", { dims: [values.length], values: values.map(BigInt) });
  const project = (name: string, x: string, [from, to]: readonly [number, number]): string => {
    const w = build.weight(`${name}.weight`, [from, to], Math.sqrt(1 / from));
    return graph.op("Add", [graph.op("MatMul", [x, w]), build.weight(`${name}.bias`, [to], 0.01)]);
  };
  const norm = (name: string, x: string): string => {
    const scale = build.weight(`${name}.scale`, [WIDTH], 0.1, 1);
    const shift = build.weight(`${name}.shift`, [WIDTH], 0.1);
    return graph.op("LayerNormalization", [x, scale, shift], { axis: -1, epsilon: 1e-5 });
  };
  const heads = (x: string, perm: readonly number[]): string =>
    graph.op("Transpose", [graph.op("Reshape", [x, shape(0, 0, HEADS, WIDTH / HEADS)])], { perm });
  const attend = (name: string, x: string): string => {
    const part = (of: string): string => project(`${name}.${of}`, x, [WIDTH, WIDTH]);
    const [q, k] = [heads(part("q"), [0, 2, 1, 3]), heads(part("k"), [0, 2, 3, 1])];
    const v = heads(part("v"), [0, 2, 1, 3]);
    const scale = graph.constant("float32", {
      dims: [],
      values: [1 / Math.sqrt(WIDTH / HEADS)],
    });
    const scores = graph.op("Softmax", [graph.op("Mul", [graph.op("MatMul", [q, k]), scale])], {
      axis: -1,
    });
    const mixed = graph.op("Transpose", [graph.op("MatMul", [scores, v])], { perm: [0, 2, 1, 3] });
    const joined = graph.op("Reshape", [mixed, shape(0, 0, WIDTH)]);
    return project(`${name}.out`, joined, [WIDTH, WIDTH]);
  };
  const table = build.weight("tokens", [TOKENS, WIDTH], 0.1);
  const places = build.weight("places", [LENGTH, WIDTH], 0.1);
  let x = graph.op("Add", [graph.op("Gather", [table, ids]), places]);
  for (let layer = 0; layer < LAYERS; layer++) {
    x = graph.op("Add", [x, attend(`${layer}.attention`, norm(`${layer}.norm1`, x))]);
    const inner = project(`${layer}.up`, norm(`${layer}.norm2`, x), [WIDTH, INNER]);
    const outer = project(`${layer}.down`, graph.op("Gelu", [inner]), [INNER, WIDTH]);
    x = graph.op("Add", [x, outer]);
  }
  const axis = graph.constant("int64", { dims: [1], values: [1n] });
  x = graph.op("ReduceMean", [norm("last", x), axis], { keepdims: 0 });
  graph.output(build.dense("head", x, WIDTH, CLASSES), { name: "scores" });
  const random = createRandom(14);
  const dims = [16, LENGTH];
  const data = BigInt64Array.from({ length: 16 * LENGTH }, () => BigInt(random.integer(TOKENS)));
  return contestant(build, { dims, feed: { dataType: "int64", dims, data } });
}

interface Input {
  readonly dims: readonly number[];
  readonly feed: Feed;
}

function images(dims: readonly number[]): Input {
  const random = createRandom(11);
  const size = dims.reduce((product, dim) => product * dim, 1);
  const data = Float32Array.from({ length: size }, () => random.normal());
  return { dims, feed: { dataType: "float32", dims, data } };
}

function contestant({ graph, weights }: Build, { dims, feed }: Input): Contestant {
  const model = graph.finish();
  const random = createRandom(12);
  const batch = dims[0] ?? 1;
  const labels = BigInt64Array.from({ length: batch }, () => BigInt(random.integer(CLASSES)));
  return {
    name: model.graph?.name ?? "",
    ...{ model, parameters: weights },
    input: { name: "x", dims },
    feeds: { x: feed, labels: { dataType: "int64", dims: [batch], data: labels } },
  };
}
