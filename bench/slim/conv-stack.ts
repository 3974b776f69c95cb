// Four convolutions of 128 channels on maps of 28 x 28, between two of a single position from and to 8
// channels: the body of a network, where structure pays. Its weights are random, so that only costs can be
// told from it, never accuracy.

import { readFileSync } from "node:fs";
import { createRandom } from "../../src/core/index.ts";
import { nativeRuntime } from "../../src/engine/index.ts";
import {
  cluster,
  factorise,
  type MethodName,
  type PassContext,
  prune,
  runSteps,
  type Step,
  sparsify,
  stepOf,
  storeHalf,
} from "../../src/models/compress/index.ts";
import {
  type Model,
  modelBuilder,
  type OperatorTable,
  parseOperatorTable,
} from "../../src/onnx/index.ts";

const [CHANNELS, SIZE, LAYERS] = [128, 28, 4];

export const operators: OperatorTable = parseOperatorTable(
  readFileSync(new URL("../../data/onnx-operators/operators.json", import.meta.url), "utf8"),
);

/** Channels that come in and go out: the ends cost next to nothing, and the body is free to shrink. */
const ENDS = 8;

/** The stack: 3 x 3, padded, each with a bias and a ReLU. */
function convStack(): Model {
  const random = createRandom(1);
  const graph = modelBuilder({ operators });
  const weight = (dims: readonly number[]): string => {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const fan = dims.slice(1).reduce((product, dim) => product * dim, 1);
    const values = Float32Array.from({ length: size }, () => random.normal() * Math.sqrt(2 / fan));
    return graph.constant("float32", { dims, values });
  };
  const pointwise = (value: string, from: number, to: number): string =>
    graph.op("Conv", [value, weight([to, from, 1, 1]), weight([to])]);
  let x = pointwise(graph.input("x", "float32", [1, ENDS, SIZE, SIZE]), ENDS, CHANNELS);
  for (let layer = 0; layer < LAYERS; layer++) {
    const inputs = [x, weight([CHANNELS, CHANNELS, 3, 3]), weight([CHANNELS])];
    const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    x = graph.op("Relu", [graph.op("Conv", inputs, attributes)]);
  }
  graph.output(pointwise(x, CHANNELS, ENDS), { name: "y" });
  return graph.finish();
}

export const stackFeeds = () => {
  const random = createRandom(2);
  const size = ENDS * SIZE * SIZE;
  return { x: Float32Array.from({ length: size }, () => random.normal()) };
};

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };

const atShare = (share: number, method: MethodName): Step =>
  stepOf(factorise, { rank: { rule: "share", share }, method });

const atRatio = (ratio: number, align: number): Step => stepOf(prune, { ratio, align });

/** Steps by what they leave. */
const STEPS: Readonly<Record<string, readonly Step[]>> = {
  "Tucker-2, rank C/2": [atShare(1 / 2, "tucker2")],
  "Tucker-2, rank C/4": [atShare(1 / 4, "tucker2")],
  "channel SVD, rank C/4": [atShare(1 / 4, "svd")],
  "spatial SVD, rank C/4": [atShare(1 / 4, "spatial")],
  "96 of 128 channels": [atRatio(0.25, 16)],
  "90 of 128 channels": [atRatio(0.3, 1)],
  "64 of 128 channels": [atRatio(0.5, 16)],
  "80 % zeros": [stepOf(sparsify, { pattern: { kind: "free", sparsity: 0.8 } })],
  "2 of 4 zeros": [stepOf(sparsify, { pattern: { kind: "n:m", zeros: 2, of: 4 } })],
  "codebook of 16": [stepOf(cluster, { clusters: 16, by: "lloyd" })],
  "float16 on disk": [stepOf(storeHalf, undefined)],
};

/** The stack and what each technique makes of it. */
export async function stackVariants(): Promise<ReadonlyMap<string, Model>> {
  const model = convStack();
  const variants = new Map([["as it is", model]]);
  for (const [name, steps] of Object.entries(STEPS)) {
    const { model: small, changes } = await runSteps(model, steps, context);
    if (changes.length === 0) throw new Error(`${name} changed nothing`);
    variants.set(name, small);
  }
  return variants;
}
