import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { randomFloats, runModel } from "../../../../test/onnx-runtime.ts";
import { operators } from "../../../../test/operators.ts";
import { type Matrix, matrix, nativeRuntime } from "../../../engine/index.ts";
import {
  elementsOf,
  encodeModel,
  indexGraph,
  type Model,
  modelBuilder,
} from "../../../onnx/index.ts";
import { layersOf } from "../layer.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { collectMoments, type Moments, watchedLayer } from "../statistics.ts";
import {
  cubicSparsity,
  lampScores,
  type Pattern,
  type Rows,
  rowsOf,
  wandaScores,
  zeroByScore,
} from "./scores.ts";
import { sparseGpt } from "./sparse-gpt.ts";
import { type SparsifyOptions, sparsify } from "./sparsify.ts";
import { storeSparse } from "./store-sparse.ts";

const calibration = async function* (): AsyncGenerator<Feeds> {
  for (let seed = 0; seed < 3; seed++) {
    yield { x: { dataType: "float32", dims: [4, 8, 6, 6], data: imagesOf(seed) } };
  }
};
const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1, calibration };

/** Neighbouring channels much alike, of different lengths: what one weight loses another can make up. */
function imagesOf(seed: number): Float32Array {
  const values = randomFloats([4, 8, 6, 6], 50 + seed).data as Float32Array;
  return values.map((value, at) => {
    const channel = Math.floor(at / 36) % 8;
    const before = channel === 0 ? 0 : (values[at - 36] ?? 0);
    return (0.4 * value + before) * (1 + channel / 3);
  });
}

function network(): Model {
  const graph = modelBuilder({ operators });
  const weight = (dims: readonly number[], seed: number): string => {
    const values = randomFloats(dims, seed).data as Float32Array;
    return graph.constant("float32", { dims, values: values.map((value) => value * seed) });
  };
  const x = graph.input("x", "float32", ["batch", 8, 6, 6]);
  const y = graph.op("Relu", [graph.op("Conv", [x, weight([12, 8, 3, 3], 1), weight([12], 2)])]);
  const rows = graph.op("Flatten", [graph.op("GlobalAveragePool", [y])]);
  graph.output(graph.op("Gemm", [rows, weight([5, 12], 3)], { transB: 1 }), { name: "y" });
  return graph.finish();
}

const matricesOf = (model: Model): ReadonlyMap<string, Matrix> =>
  new Map(
    layersOf(indexGraph(model.graph ?? { ...EMPTY })).layers.map((layer) => [
      layer.name,
      rowsOf(layer).weights,
    ]),
  );
const EMPTY = {
  nodes: [],
  initializers: [],
  sparseInitializers: [],
  inputs: [],
  outputs: [],
  valueInfos: [],
  metadata: [],
};

const zerosIn = ({ data }: Matrix): number => data.filter((value) => value === 0).length;

async function zeroed(options: SparsifyOptions): Promise<Model> {
  return (await sparsify.apply(network(), context, options)).model;
}

/** tr(D S D^T) over that of the weights: the squared error of the outputs on the data. */
function errorOn({ weights, order }: Rows, other: Matrix, { gram }: Moments): number {
  const energy = (of: (at: number) => number): number => {
    let sum = 0;
    for (let row = 0; row < weights.rows; row++) {
      for (const [i, a] of order.entries()) {
        for (const [j, b] of order.entries()) {
          const moment = gram.data[a * gram.columns + b] ?? 0;
          sum += of(row * weights.columns + i) * moment * of(row * weights.columns + j);
        }
      }
    }
    return sum;
  };
  return (
    energy((at) => (weights.data[at] ?? 0) - (other.data[at] ?? 0)) /
    energy((at) => weights.data[at] ?? 0)
  );
}

describe.skipIf(nativeMissing !== null)("zeroing weights", () => {
  const half: Pattern = { kind: "free", sparsity: 0.5 };
  const twoOfFour: Pattern = { kind: "n:m", zeros: 2, of: 4 };

  test.each(["magnitude", "wanda", "sparsegpt"] as const)(
    "%s leaves exactly the share asked for",
    async (by) => {
      for (const weights of matricesOf(await zeroed({ pattern: half, by })).values()) {
        expect(zerosIn(weights)).toBe(weights.data.length / 2);
      }
    },
  );

  test.each(["global", "lamp"] as const)(
    "%s leaves the share of all layers together",
    async (by) => {
      const all = [...matricesOf(await zeroed({ pattern: half, by })).values()];
      const zeros = all.reduce((sum, weights) => sum + zerosIn(weights), 0);
      expect(zeros).toBe((12 * 72 + 60) / 2);
      expect(all.map((weights) => zerosIn(weights) / weights.data.length)).not.toEqual([0.5, 0.5]);
    },
  );

  test.each(["magnitude", "wanda", "sparsegpt"] as const)(
    "%s keeps 2 of 4 in every run of channels",
    async (by) => {
      for (const weights of matricesOf(await zeroed({ pattern: twoOfFour, by })).values()) {
        for (let at = 0; at < weights.data.length; at += 4) {
          expect(zerosIn(matrix(1, 4, weights.data.slice(at, at + 4)))).toBe(2);
        }
      }
    },
  );

  test("blocks go as a whole", async () => {
    const block: Pattern = { kind: "block", sparsity: 0.5, block: [4, 8] };
    const weights = matricesOf(await zeroed({ pattern: block })).get("conv1");
    if (weights === undefined) throw new Error("no convolution");
    expect(zerosIn(weights)).toBe(Math.round(27 / 2) * 32);
    const { model, refused } = await sparsify.apply(network(), context, {
      pattern: block,
      by: "sparsegpt",
    });
    expect(matricesOf(model)).toEqual(matricesOf(network()));
    expect(refused[0]?.reason).toBe("SparseGPT chooses no blocks");
  });

  test("says that nothing runs faster", async () => {
    const { changes } = await sparsify.apply(network(), context, { pattern: half });
    expect(changes[0]?.what).toBe("50 % of its weights are zero; runs no faster");
  });

  test("SparseGPT errs less than Wanda, Wanda less than magnitude, on inputs that hang together", async () => {
    const model = network();
    const layer = layersOf(indexGraph(model.graph ?? EMPTY)).layers[0];
    if (layer === undefined) throw new Error("no layer");
    const moments = (await collectMoments(model, [watchedLayer(layer)], context)).get("conv1");
    if (moments === undefined) throw new Error("no moments");
    expect(moments.count).toBe(3 * 4 * 16);
    const rows = rowsOf(layer);
    for (const pattern of [half, twoOfFour] as const) {
      const magnitude = zeroByScore(rows.weights, rows.weights.data.map(Math.abs), {
        pattern,
        compare: "layer",
      });
      const wanda = zeroByScore(rows.weights, wandaScores(rows, moments), {
        pattern,
        compare: "row",
      });
      const gpt = sparseGpt(rows, moments, pattern as Exclude<Pattern, { kind: "block" }>);
      const errors = [magnitude, wanda, gpt].map((weights) => errorOn(rows, weights, moments));
      expect(errors[2]).toBeLessThan(0.9 * (errors[1] ?? 0));
      expect(errors[1]).toBeLessThan(errors[0] ?? 0);
    }
  });

  test("SparseGPT on independent inputs of one length is magnitude, and changes nothing else", () => {
    const weights = matrix(6, 8, Float64Array.from(randomFloats([6, 8], 9).data as Float32Array));
    const rows = { weights, order: [0, 1, 2, 3, 4, 5, 6, 7] };
    const gram = matrix(8, 8, new Float64Array(64));
    for (let i = 0; i < 8; i++) gram.data[i * 9] = 10;
    const found = sparseGpt(
      rows,
      { gram, sum: new Float64Array(8), count: 10 },
      { kind: "free", sparsity: 0.5 },
    );
    const options = { pattern: half, compare: "layer" } as const;
    const expected = zeroByScore(weights, weights.data.map(Math.abs), options);
    found.data.forEach((value, at) => {
      expect(value).toBeCloseTo(expected.data[at] ?? 0, 12);
    });
  });
});

test("LAMP scores are those of the definition", () => {
  // Squares 1, 4, 9 in the order of magnitude: 1/14, 4/13, 9/9.
  const scores = lampScores(matrix(1, 3, [2, -1, 3]));
  expect([...scores]).toEqual([4 / 13, 1 / 14, 1]);
});

test("the cubic schedule starts, ends and never falls", () => {
  const options = { steps: 10, final: 0.9, initial: 0.1 };
  const values = Array.from({ length: 13 }, (_, step) => cubicSparsity(step, options));
  expect(values[0]).toBeCloseTo(0.1, 12);
  expect([values[10], values[12]]).toEqual([0.9, 0.9]);
  expect(values[5]).toBeCloseTo(0.9 - 0.8 * 0.125, 12);
  expect(values.toSorted((a, b) => a - b)).toEqual(values);
});

describe.skipIf(nativeMissing !== null)("storing sparsely", () => {
  test("gives the same outputs bit for bit from a smaller file, below a third", async () => {
    const graph = modelBuilder({ operators });
    const dims = [64, 64];
    const values = (randomFloats(dims, 1).data as Float32Array).map((value, at) =>
      at % 10 === 0 ? value : 0,
    );
    values[1] = -0;
    const x = graph.input("x", "float32", [2, 64]);
    const y = graph.op("MatMul", [x, graph.constant("float32", { name: "thin", dims, values })]);
    const half = values.map((value, at) => (at % 2 === 0 ? 1 : value * 0));
    graph.output(
      graph.op("MatMul", [y, graph.constant("float32", { name: "half", dims, values: half })]),
      { name: "y" },
    );
    const model = graph.finish();
    const { model: sparse, changes, refused } = await storeSparse.apply(model, context, undefined);
    expect(changes.map(({ subject }) => subject)).toEqual(["thin"]);
    expect(refused[0]?.reason).toMatch(/^50 % of it is not zero/);
    expect(encodeModel(sparse).length).toBeLessThan(encodeModel(model).length - 64 * 64 * 2.5);
    const input = { x: randomFloats([2, 64], 3) };
    const [before, after] = [await runModel(model, input), await runModel(sparse, input)];
    expect(after["y"]?.data).toEqual(before["y"]?.data);
    const indices = sparse.graph?.sparseInitializers[0]?.indices;
    expect(indices === undefined ? [] : [...elementsOf(indices)].slice(0, 3)).toEqual([
      0n,
      1n,
      10n,
    ]);
  });
});
