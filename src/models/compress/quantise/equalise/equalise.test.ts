import { describe, expect, test } from "vitest";
import { randomFloats } from "../../../../../test/onnx-runtime.ts";
import { operators } from "../../../../../test/operators.ts";
import { nativeRuntime } from "../../../../engine/index.ts";
import {
  elementsOf,
  indexGraph,
  type Model,
  type ModelBuilder,
  modelBuilder,
} from "../../../../onnx/index.ts";
import type { Feeds, PassContext } from "../../pass.ts";
import { outputsOn, relativeError } from "../sensitivity.ts";
import { quantiseStatic } from "../static.ts";
import { equaliseLayers } from "./cross-layer.ts";
import { smoothingScales, smoothQuant } from "./smooth-quant.ts";

const random = (of: ModelBuilder, dims: readonly number[], seed: number): string =>
  of.constant("float32", { dims, values: randomFloats(dims, seed).data as Float32Array });

const contextFor = (feeds: (seed: number) => Feeds): PassContext => ({
  operators,
  runtime: nativeRuntime(),
  seed: 1,
  async *calibration() {
    for (let seed = 1; seed <= 4; seed++) yield feeds(seed);
  },
});

async function errorBetween(
  a: Model,
  b: Model,
  feeds: Feeds,
  context: PassContext,
): Promise<number> {
  const [[before], [after]] = [
    await outputsOn(a, [feeds], context),
    await outputsOn(b, [feeds], context),
  ];
  return relativeError(before ?? {}, after ?? {});
}

describe("SmoothQuant", () => {
  test("has the scales of its paper's example", () => {
    const scales = smoothingScales(
      Float64Array.of(10, 1, 0.1, 4),
      Float64Array.of(0.5, 0.5, 0.25, 1),
      0.5,
    );
    expect([...scales]).toEqual(
      [4.47213596, Math.SQRT2, 0.63245553, 2].map((value) => expect.closeTo(value, 7)),
    );
  });

  const outliers = (seed: number): Feeds => {
    const data = (randomFloats([8, 16], seed).data as Float32Array).map((x, at) =>
      at % 16 === 5 ? 60 * x : x,
    );
    return { x: { dataType: "float32", dims: [8, 16], data } };
  };
  const context = contextFor(outliers);
  /** Inputs with an outlier channel, a layer norm, two readers of one value, a Relu between products. */
  const network = (): Model => {
    const of = modelBuilder({ operators });
    const x = of.input("x", "float32", ["batch", 16]);
    const first = of.op("Relu", [of.op("MatMul", [x, random(of, [16, 12], 1)])]);
    const second = of.op("Gemm", [first, random(of, [12, 12], 2), random(of, [12], 3)]);
    const normal = of.op("LayerNormalization", [second, random(of, [12], 4), random(of, [12], 5)]);
    const [q, k] = [
      of.op("MatMul", [normal, random(of, [12, 6], 6)]),
      of.op("MatMul", [normal, random(of, [12, 6], 7)]),
    ];
    of.output(of.op("Add", [q, of.op("Tanh", [k])]), { name: "y" });
    return of.finish();
  };

  test.each([0, 0.5, 1, "auto"] as const)(
    "leaves the float model what it was with alpha %s",
    async (alpha) => {
      const model = network();
      const { model: smooth, changes } = await smoothQuant.apply(model, context, { alpha });
      expect(changes).toHaveLength(3);
      // A relative square error of 1e-10 is a relative error of 1e-5.
      expect(await errorBetween(model, smooth, outliers(9), context)).toBeLessThan(1e-10);
      // Only what is fed to the model has no maker that could take the division in.
      expect(smooth.graph?.nodes.filter(({ opType }) => opType === "Mul")).toHaveLength(1);
    },
  );

  test("makes 8 bits err less where outliers would waste the grid", async () => {
    const model = network();
    const options = { calibration: { method: "minmax" }, biasCorrection: false } as const;
    const { model: plain } = await quantiseStatic.apply(model, context, options);
    const { model: smooth } = await smoothQuant.apply(model, context, undefined);
    const { model: both } = await quantiseStatic.apply(smooth, context, options);
    const [without, with_] = [
      await errorBetween(model, plain, outliers(9), context),
      await errorBetween(model, both, outliers(9), context),
    ];
    expect(with_).toBeLessThan(without / 2);
  });

  test("refuses an alpha that is no share", async () => {
    await expect(smoothQuant.apply(network(), context, { alpha: 2 })).rejects.toThrow(/alpha/);
  });
});

describe("cross-layer equalisation", () => {
  const pictures = (seed: number): Feeds => ({
    x: {
      dataType: "float32",
      dims: [1, 3, 8, 8],
      data: randomFloats([1, 3, 8, 8], seed).data as Float32Array,
    },
  });
  const context = contextFor(pictures);
  /** A plain, a depthwise and a pointwise convolution whose channels differ by a thousand. */
  const network = (): Model => {
    const of = modelBuilder({ operators });
    const spread = (dims: readonly number[], seed: number): string => {
      const each = dims.slice(1).reduce((product, size) => product * size, 1);
      const values = (randomFloats(dims, seed).data as Float32Array).map(
        (v, at) => v * 10 ** ((Math.floor(at / each) % 4) - 2),
      );
      return of.constant("float32", { dims, values });
    };
    const pads = [1, 1, 1, 1];
    const first = of.op(
      "Conv",
      [of.input("x", "float32", [1, 3, 8, 8]), spread([8, 3, 3, 3], 1), random(of, [8], 2)],
      { pads },
    );
    const deep = of.op("Conv", [of.op("Relu", [first]), random(of, [8, 1, 3, 3], 3)], {
      pads,
      group: 8,
    });
    // What the first makes small the last makes large again.
    const values = (randomFloats([4, 8, 1, 1], 4).data as Float32Array).map(
      (v, at) => v * 10 ** (2 - ((at % 8) % 4)),
    );
    const pointwise = of.constant("float32", { dims: [4, 8, 1, 1], values });
    const last = of.op("Conv", [of.op("LeakyRelu", [deep]), pointwise]);
    of.output(last, { name: "y" });
    return of.finish();
  };

  test("changes nothing of what the model computes, and balances every pair", async () => {
    const model = network();
    const { model: equal, changes } = await equaliseLayers.apply(model, context);
    expect(changes).toHaveLength(2);
    expect(await errorBetween(model, equal, pictures(9), context)).toBeLessThan(1e-10);
    const graph = equal.graph;
    if (graph === undefined) throw new Error("no graph");
    const index = indexGraph(graph);
    const [first = [], deep = [], last = []] = graph.nodes
      .filter(({ opType }) => opType === "Conv")
      .map(({ inputs }) => {
        const weight = index.constant(inputs[1] ?? "");
        return weight === null ? [] : [...(elementsOf(weight) as Float32Array)];
      });
    const most = (values: readonly number[]): number => Math.max(...values.map(Math.abs));
    for (let channel = 0; channel < 8; channel++) {
      const size = most(deep.slice(channel * 9, (channel + 1) * 9));
      expect(most(first.slice(channel * 27, (channel + 1) * 27)) / size).toBeCloseTo(1, 2);
      expect(most([0, 1, 2, 3].map((o) => last[o * 8 + channel] ?? 0)) / size).toBeCloseTo(1, 2);
    }
  });

  test("makes one grid for a whole weight err less", async () => {
    const model = network();
    const { model: equal } = await equaliseLayers.apply(model, context);
    const options = {
      perChannel: false,
      biasCorrection: false,
      calibration: { method: "minmax" },
    } as const;
    const [plain, better] = [
      await quantiseStatic.apply(model, context, options),
      await quantiseStatic.apply(equal, context, options),
    ];
    expect(await errorBetween(model, better.model, pictures(9), context)).toBeLessThan(
      (await errorBetween(model, plain.model, pictures(9), context)) / 2,
    );
  });
});
