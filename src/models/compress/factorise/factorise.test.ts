import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { randomFloats, runModel } from "../../../../test/onnx-runtime.ts";
import { operators } from "../../../../test/operators.ts";
import { createProducts, nativeRuntime, type Products } from "../../../engine/index.ts";
import { indexGraph, type Model, modelBuilder } from "../../../onnx/index.ts";
import { chooseWithin } from "../choose.ts";
import { type Layer, layersOf } from "../layer.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { factorise } from "./factorise.ts";
import type { Method } from "./method.ts";
import { cpMethod, spatialMethod, svdMethod, tuckerMethod } from "./methods.ts";
import { withChains } from "./splice.ts";

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };

let products: Products;
beforeAll(async () => {
  if (nativeMissing === null) products = await createProducts({ threads: 1 });
});
afterAll(async () => products?.close());

const values = (dims: readonly number[], seed: number) => ({
  dims,
  values: randomFloats(dims, seed).data as Float32Array,
});

interface ConvCase {
  readonly kernel: readonly [number, number];
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
  readonly channels?: readonly [inputs: number, outputs: number];
}

function convolution({ kernel, attributes, channels = [6, 8] }: ConvCase): Model {
  const [inputs, outputs] = channels;
  const graph = modelBuilder({ operators });
  const x = graph.input("x", "float32", [2, inputs, 9, 10]);
  const weight = graph.constant("float32", values([outputs, inputs, ...kernel], 1));
  const bias = graph.constant("float32", values([outputs], 2));
  const y = graph.op("Conv", [x, weight, bias], { kernel_shape: kernel, ...attributes });
  graph.output(graph.op("Relu", [y]), { name: "y" });
  return graph.finish();
}

/** y = 0.5 x W^T + 2 c, then a product over three axes. */
function matrices(): Model {
  const graph = modelBuilder({ operators });
  const x = graph.input("x", "float32", [4, 24]);
  const weight = graph.constant("float32", values([20, 24], 3));
  const bias = graph.constant("float32", values([20], 4));
  const h = graph.op("Gemm", [x, weight, bias], { transB: 1, alpha: 0.5, beta: 2 });
  const cube = graph.op("Reshape", [
    h,
    graph.constant("int64", { dims: [3], values: [2n, 2n, 20n] }),
  ]);
  const y = graph.op("MatMul", [cube, graph.constant("float32", values([20, 18], 5))]);
  graph.output(y, { name: "y" });
  return graph.finish();
}

const layersIn = (model: Model): readonly Layer[] =>
  model.graph === undefined ? [] : layersOf(indexGraph(model.graph)).layers;

const storedFloats = (model: Model): number =>
  (model.graph?.initializers ?? [])
    .filter(({ dataType }) => dataType === "float32")
    .reduce((sum, { dims }) => sum + dims.reduce((product, dim) => product * Number(dim), 1), 0);

async function largestChange(a: Model, b: Model, dims: readonly number[]): Promise<number> {
  const x = randomFloats(dims, 11);
  const [before, after] = [await runModel(a, { x }), await runModel(b, { x })];
  const [left, right] = [before["y"]?.data as Float32Array, after["y"]?.data as Float32Array];
  expect(after["y"]?.dims).toEqual(before["y"]?.dims);
  const scale = left.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return left.reduce((most, v, i) => Math.max(most, Math.abs(v - (right[i] ?? 0))), 0) / scale;
}

/** Cuts every layer at its full ranks, worthwhile or not. */
async function atFullRank(model: Model, method: Method): Promise<Model> {
  const chains = new Map();
  for (const layer of layersIn(model)) {
    expect(method.refuse(layer)).toBeNull();
    const prepared = await method.prepare(layer, { products, seed: 1 });
    const chain = await prepared.cut(prepared.most);
    const stored = chain.initializers.reduce(
      (sum, { dims }) => sum + dims.reduce((product, dim) => product * Number(dim), 1),
      0,
    );
    expect(stored).toBe(prepared.parameters(prepared.most));
    chains.set(layer.node, chain);
  }
  return withChains(model, chains);
}

const CONVOLUTIONS: readonly (ConvCase & { readonly name: string })[] = [
  {
    name: "padding and stride",
    kernel: [3, 3],
    attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
  },
  {
    name: "everything uneven",
    kernel: [3, 2],
    attributes: { pads: [2, 0, 1, 1], strides: [1, 3], dilations: [2, 1] },
  },
  { name: "no attributes", kernel: [3, 3], attributes: {} },
];

describe.skipIf(nativeMissing !== null)("a layer cut at its full ranks gives what it gave", () => {
  const methods = [svdMethod, tuckerMethod, spatialMethod];
  const cases = CONVOLUTIONS.flatMap((of) => methods.map((method) => ({ ...of, method })));

  test.each(cases)("$method.name of a convolution with $name", async ({ method, ...of }) => {
    const model = convolution(of);
    const split = await atFullRank(model, method);
    expect(split.graph?.nodes.length).toBeGreaterThan(model.graph?.nodes.length ?? 0);
    expect(await largestChange(model, split, [2, 6, 9, 10])).toBeLessThan(2e-6);
  });

  test("svd and tucker2 of a convolution that pads by itself", async () => {
    const model = convolution({
      kernel: [3, 3],
      attributes: { auto_pad: "SAME_LOWER", strides: [2, 1] },
    });
    for (const method of [svdMethod, tuckerMethod]) {
      const split = await atFullRank(model, method);
      expect(await largestChange(model, split, [2, 6, 9, 10])).toBeLessThan(2e-6);
    }
    expect(spatialMethod.refuse(layersIn(model)[0] as Layer)).toMatch(/SAME_LOWER/);
  });

  test("svd of a scaled Gemm and of a product over three axes", async () => {
    const model = matrices();
    const split = await atFullRank(model, svdMethod);
    expect(split.graph?.nodes.map(({ opType }) => opType)).toEqual([
      "MatMul",
      "Gemm",
      "Reshape",
      "MatMul",
      "MatMul",
    ]);
    expect(await largestChange(model, split, [4, 24])).toBeLessThan(2e-6);
  });

  test("cp of a kernel that is a sum of few products", async () => {
    const model = convolution({
      kernel: [3, 3],
      attributes: { pads: [1, 1, 1, 1], strides: [2, 2] },
    });
    const [layer] = layersIn(model);
    if (layer === undefined) throw new Error("no layer");
    const prepared = await cpMethod.prepare(layer, { products, seed: 3 });
    const chain = await prepared.cut([54]);
    const split = withChains(model, new Map([[layer.node, chain]]));
    // The error of the weights bounds what the outputs differ by, roughly.
    expect(chain.error).toBeLessThan(0.05);
    expect(await largestChange(model, split, [2, 6, 9, 10])).toBeLessThan(3 * chain.error);
    expect(storedFloats(split) - 8).toBe(prepared.parameters([54]));
  });
});

describe.skipIf(nativeMissing !== null)("the pass", () => {
  const wide = convolution({
    kernel: [3, 3],
    attributes: { pads: [1, 1, 1, 1] },
    channels: [64, 64],
  });

  test("aligns ranks, keeps the counted parameters and says the error", async () => {
    const { model, changes, refused } = await factorise.apply(wide, context, {
      rank: { rule: "share", share: 0.2 },
    });
    expect(refused).toEqual([]);
    expect(changes[0]?.what).toMatch(/^tucker2 at rank 16 x 16: 12 % .* of its weights$/);
    expect(storedFloats(model)).toBe(64 * 16 + 16 * 16 * 9 + 16 * 64 + 64);
  });

  test("gives each layer a share of its own, and leaves those whole that have none", async () => {
    const shares = { matmul1: 0.25 };
    const { changes, refused } = await factorise.apply(matrices(), context, {
      ...{ rank: { rule: "shares", shares }, align: 1 },
    });
    const alike = await factorise.apply(matrices(), context, {
      ...{ rank: { rule: "share", share: 0.25 }, align: 1, only: ["matmul1"] },
    });
    expect(changes.map(({ subject }) => subject)).toEqual(["matmul1"]);
    expect(changes).toEqual(alike.changes);
    expect(refused.map(({ subject }) => subject)).toContain("gemm1");
  });

  test("leaves whole what a cut would not make smaller by a fifth", async () => {
    const { model, refused } = await factorise.apply(wide, context, {
      rank: { rule: "energy", share: 0.999 },
    });
    expect(model).toBe(wide);
    expect(refused[0]?.reason).toMatch(/keep 1\d\d % of its .*from 80 % on it stays whole/);
  });

  test("weighs by calibration inputs and errs less on them than without", async () => {
    const model = matrices();
    // Inputs in few directions.
    const rows = randomFloats([4, 24], 5).data as Float32Array;
    const calibration = async function* (): AsyncGenerator<Feeds> {
      yield { x: { dataType: "float32", dims: [4, 24], data: rows } };
    };
    const rank = { rule: "fixed", ranks: { gemm1: [4], matmul1: [6] } } as const;
    const options = { rank, align: 1 };
    const white = await factorise.apply(model, { ...context, calibration }, options);
    const plain = await factorise.apply(model, context, options);
    expect(white.changes[0]?.what).toMatch(/on the calibration inputs/);
    const errorOf = async (of: Model): Promise<number> => {
      const { Tensor } = await import("onnxruntime-node");
      const x = new Tensor("float32", rows, [4, 24]);
      const [a, b] = [await runModel(model, { x }), await runModel(of, { x })];
      const [left, right] = [a["y"]?.data as Float32Array, b["y"]?.data as Float32Array];
      return Math.hypot(...left.map((v, i) => v - (right[i] ?? 0)));
    };
    expect(await errorOf(white.model)).toBeLessThan(0.2 * (await errorOf(plain.model)));
  });

  test("spends a budget where it costs least", async () => {
    const graph = modelBuilder({ operators });
    const x = graph.input("x", "float32", ["batch", 64]);
    // One matrix of rank 16, one of full rank.
    const [a, b] = [values([64, 16], 1).values, values([16, 64], 2).values];
    const low = Float32Array.from({ length: 64 * 64 }, (_, at) => {
      let sum = 0;
      for (let r = 0; r < 16; r++) {
        sum += (a[Math.floor(at / 64) * 16 + r] ?? 0) * (b[r * 64 + (at % 64)] ?? 0);
      }
      return sum;
    });
    const first = graph.op("MatMul", [
      x,
      graph.constant("float32", { dims: [64, 64], values: low }),
    ]);
    const second = graph.op("MatMul", [first, graph.constant("float32", values([64, 64], 3))]);
    graph.output(second, { name: "y" });
    const { changes, refused } = await factorise.apply(graph.finish(), context, {
      rank: { rule: "budget", keep: 0.75 },
    });
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({
      subject: "matmul1",
      what: expect.stringContaining("rank 16"),
    });
    expect(refused).toEqual([
      { pass: "factorise", subject: "matmul2", reason: "the budget leaves it whole" },
    ]);
  });

  test("says why it leaves layers alone", async () => {
    const graph = modelBuilder({ operators });
    const x = graph.input("x", "float32", [1, 32, 8, 8]);
    const depthwise = graph.constant("float32", values([32, 1, 3, 3], 1));
    const shared = graph.constant("float32", values([32, 32, 3, 3], 2));
    let y = graph.op("Conv", [x, depthwise], { group: 32 });
    y = graph.op("Conv", [graph.op("Conv", [y, shared]), shared]);
    y = graph.op("Conv", [y, graph.constant("float32", values([8, 32, 1, 1], 4))]);
    y = graph.op("MatMul", [y, y]);
    const broken = Float32Array.from({ length: 64 * 64 }, (_, at) => (at === 7 ? Number.NaN : 1));
    y = graph.op("MatMul", [y, graph.constant("float32", { dims: [64, 64], values: broken })]);
    graph.output(y, { name: "y" });
    const { refused } = await factorise.apply(graph.finish(), context, {
      rank: { rule: "share", share: 0.25 },
    });
    expect(refused.map(({ subject, reason }) => `${subject}: ${reason}`).toSorted()).toEqual([
      "conv1: it has 32 groups",
      "conv2: its weight is shared by 2 nodes",
      "conv3: its weight is shared by 2 nodes",
      "conv4: it has 32 inputs and 8 outputs; ranks are multiples of 16",
      "matmul1: its weight is computed, not stored",
      "matmul2: its weight has elements that are not finite",
    ]);
  });
});

describe("choosing within a budget", () => {
  test("never exceeds it and is as good as the best of a slightly smaller one", () => {
    let state = 1;
    const next = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    for (let trial = 0; trial < 30; trial++) {
      const items = Array.from({ length: 5 }, () =>
        Array.from({ length: 4 }, () => ({ cost: next(), loss: next() })),
      );
      const budget = 0.5 + 2 * next();
      const picks = chooseWithin(budget, items);
      const best = bruteForce(items, budget * (1 - (items.length + 1) / 4096));
      if (picks === null) {
        expect(bruteForce(items, budget)).toBe(Number.POSITIVE_INFINITY);
        continue;
      }
      const chosen = picks.map((pick, at) => items[at]?.[pick] ?? { cost: NaN, loss: NaN });
      expect(chosen.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(budget + 1e-12);
      expect(chosen.reduce((sum, { loss }) => sum + loss, 0)).toBeLessThanOrEqual(best + 1e-12);
    }
  });
});

function bruteForce(
  items: readonly (readonly { readonly cost: number; readonly loss: number }[])[],
  budget: number,
): number {
  const [first, ...rest] = items;
  if (first === undefined) return 0;
  return Math.min(
    ...first.map(({ cost, loss }) =>
      cost > budget ? Number.POSITIVE_INFINITY : loss + bruteForce(rest, budget - cost),
    ),
  );
}
