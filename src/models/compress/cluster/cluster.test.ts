import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { randomFloats, runModel } from "../../../../test/onnx-runtime.ts";
import { operators } from "../../../../test/operators.ts";
import { nativeRuntime, profileModel } from "../../../engine/index.ts";
import { elementsOf, encodeModel, type Model, modelBuilder } from "../../../onnx/index.ts";
import type { PassContext } from "../pass.ts";
import { type ClusterOptions, cluster } from "./cluster.ts";
import { storeHalf } from "./half.ts";
import { exactCentres, lloydCentres, nearestIndex, pointsOf } from "./k-means.ts";

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };

const lossOf = (numbers: readonly number[], centres: Float64Array): number =>
  numbers.reduce((sum, v) => sum + (v - (centres[nearestIndex(centres, v)] ?? NaN)) ** 2, 0);

/** Every way to part sorted numbers into k runs. */
function bruteForce(sorted: readonly number[], k: number): number {
  const spread = (part: readonly number[]): number => {
    const mean = part.reduce((sum, v) => sum + v, 0) / part.length;
    return part.reduce((sum, v) => sum + (v - mean) ** 2, 0);
  };
  if (k === 1) return spread(sorted);
  let best = Number.POSITIVE_INFINITY;
  for (let at = 1; at <= sorted.length - k + 1; at++) {
    best = Math.min(best, spread(sorted.slice(0, at)) + bruteForce(sorted.slice(at), k - 1));
  }
  return best;
}

const numbers = fc.array(
  fc.integer({ min: -50, max: 50 }).map((v) => v / 7),
  { minLength: 4, maxLength: 12 },
);

describe("clusters of numbers", () => {
  test("are the best of all partitions, and no worse than Lloyd's", () => {
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 4 }), (values, k) => {
        const points = pointsOf(values);
        const found = lossOf(values, exactCentres(points, k));
        expect(found).toBeLessThanOrEqual(
          bruteForce(
            values.toSorted((a, b) => a - b),
            k,
          ) + 1e-9,
        );
        expect(found).toBeLessThanOrEqual(lossOf(values, lloydCentres(points, k)) + 1e-9);
      }),
    );
  });

  test("err less the more there are", () => {
    const values = [...(randomFloats([3000], 4).data as Float32Array)].map((v) => v ** 3);
    const points = pointsOf(values);
    const losses = [2, 3, 4, 8, 16, 32].map((k) => lossOf(values, exactCentres(points, k)));
    expect(losses.toSorted((a, b) => b - a)).toEqual(losses);
  });

  test("of more numbers than bins stay close to the exact ones", () => {
    const values = randomFloats([100_000], 5).data as Float32Array;
    const points = pointsOf(values);
    expect(points.values.length).toBeLessThanOrEqual(65_536);
    expect(points.counts.reduce((sum, count) => sum + count, 0)).toBe(100_000);
    // Evenly spread between -2 and 2: the best four centres are the middles of quarters.
    const centres = exactCentres(points, 4);
    for (const [i, centre] of [-1.5, -0.5, 0.5, 1.5].entries()) {
      expect(centres[i]).toBeCloseTo(centre, 1);
    }
  });
});

/** y = x W1 W2, W1 with zeros. */
function network(opset = 21): Model {
  const graph = modelBuilder({ operators, opsets: { "": opset } });
  const weight = (seed: number, keep: number): string => {
    const values = (randomFloats([64, 64], seed).data as Float32Array).map((v, at) =>
      at % keep === 0 ? v / 8 : 0,
    );
    return graph.constant("float32", { name: `w${seed}`, dims: [64, 64], values });
  };
  const x = graph.input("x", "float32", [2, 64]);
  const y = graph.op("MatMul", [x, weight(1, 3)]);
  graph.output(graph.op("MatMul", [y, weight(2, 1)]), { name: "y" });
  return graph.finish();
}

/** The weights as ONNX Runtime sees them once decoded. */
async function decoded(model: Model, name: string): Promise<Float32Array> {
  const graph = model.graph;
  if (graph === undefined) throw new Error("no graph");
  const outputs = [...graph.outputs, { name, metadata: [] }];
  const results = await runModel(
    { ...model, graph: { ...graph, outputs } },
    { x: randomFloats([2, 64], 1) },
  );
  return results[name]?.data as Float32Array;
}

describe.skipIf(nativeMissing !== null)("codebooks", () => {
  test.each<{ readonly options: ClusterOptions; readonly opset: number; readonly bytes: number }>([
    { options: {}, opset: 21, bytes: 64 * 32 + 64 },
    { options: {}, opset: 17, bytes: 64 * 64 + 64 },
    { options: { clusters: 100 }, opset: 21, bytes: 64 * 64 + 400 },
    { options: { clusters: 8, channels: 16 }, opset: 21, bytes: 64 * 32 + 4 * 32 + 256 },
    { options: { by: "lloyd" }, opset: 21, bytes: 64 * 32 + 64 },
  ])("of $options at opset $opset are decoded to few values near the weights", async (of) => {
    const { options, opset, bytes } = of;
    const model = network(opset);
    const { model: small, changes } = await cluster.apply(model, context, options);
    expect(changes).toHaveLength(2);
    expect(changes[0]?.what).toMatch(new RegExp(`^${bytes} bytes in place of 16384`));
    const saved = encodeModel(model).length - encodeModel(small).length;
    expect(saved).toBeGreaterThan(2 * (16_384 - bytes) - 1000);
    const limit = (options.clusters ?? 16) * (64 / (options.channels ?? 64));
    for (const name of ["w1", "w2"]) {
      const before = elementsOf(
        model.graph?.initializers.find((t) => t.name === name) as never,
      ) as Float32Array;
      const after = await decoded(small, name);
      expect(new Set(after).size).toBeLessThanOrEqual(limit);
      before.forEach((value, at) => {
        expect(Math.abs(value - (after[at] ?? NaN))).toBeLessThan(0.1);
        if (value === 0) expect(after[at]).toBe(0);
      });
    }
  });

  test("are the same model to ONNX Runtime as one with the decoded weights", async () => {
    const model = network();
    const { model: small } = await cluster.apply(model, context, {});
    const graph = model.graph;
    if (graph === undefined) throw new Error("no graph");
    const weights = await Promise.all(["w1", "w2"].map((name) => decoded(small, name)));
    const plain = {
      ...model,
      graph: {
        ...graph,
        initializers: graph.initializers.map((tensor, at) => ({
          ...tensor,
          data: { kind: "float32" as const, values: weights[at] ?? new Float32Array() },
        })),
      },
    };
    const input = { x: randomFloats([2, 64], 7) };
    const [a, b] = [await runModel(small, input), await runModel(plain, input)];
    expect(a["y"]?.data).toEqual(b["y"]?.data);
  });

  test("are decoded when the model is loaded, not when it runs", async () => {
    const x = randomFloats([2, 64], 1).data as Float32Array;
    const { model: small } = await cluster.apply(network(), context, { clusters: 8, channels: 16 });
    const { model: half } = await storeHalf.apply(network(), context, undefined);
    for (const model of [small, half]) {
      const { nodes } = await profileModel(model, { x });
      expect(new Set(nodes.map(({ operator }) => operator))).toEqual(new Set(["MatMul"]));
    }
  });

  test("refuse what is no codebook", async () => {
    await expect(cluster.apply(network(), context, { clusters: 1 })).rejects.toThrow(/2 to 256/);
    const { refused } = await cluster.apply(network(), context, { clusters: 256, channels: 1 });
    expect(refused[0]?.reason).toMatch(/would take/);
  });
});

describe.skipIf(nativeMissing !== null)("float16 on disk", () => {
  test("halves the file and moves weights by 2^-11 of themselves at most", async () => {
    const model = network();
    const { model: half, changes } = await storeHalf.apply(model, context, undefined);
    expect(changes).toHaveLength(2);
    expect(encodeModel(half).length / encodeModel(model).length).toBeLessThan(0.52);
    const before = elementsOf(model.graph?.initializers[1] as never) as Float32Array;
    const after = await decoded(half, "w2");
    before.forEach((value, at) => {
      expect(Math.abs(value - (after[at] ?? NaN))).toBeLessThanOrEqual(
        Math.abs(value) * 2 ** -11 + 2 ** -25,
      );
    });
  });
});
