import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import { MAP_BLOCKS, randomNet } from "../../../../test/nets/random-net.ts";
import { randomFloats, runModel } from "../../../../test/onnx-runtime.ts";
import { operators } from "../../../../test/operators.ts";
import { nativeRuntime } from "../../../engine/index.ts";
import { countModel, numberOf } from "../../../measure/profile/index.ts";
import { type GraphBuilder, type Model, modelBuilder, tensorOf } from "../../../onnx/index.ts";
import { netNamed } from "../../nets/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import { type PruneOptions, prune, pruningGroups } from "./prune.ts";
import { pruningSensitivity, ratiosWithin } from "./sensitivity.ts";

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };

/** ResNet-18 (He et al. 2016, table 1) with projections, all weights of one number. */
function resnet18(): Model {
  const graph = modelBuilder({ operators });
  const weight = (dims: readonly number[]): string => {
    const sizes = graph.constant("int64", { dims: [dims.length], values: dims.map(BigInt) });
    const value = tensorOf("float32", { dims: [1], values: [0.01] });
    return graph.op("ConstantOfShape", [sizes], { value });
  };
  const conv = (x: string, [from, to]: readonly [number, number], kernel: number, stride = 1) => {
    const pad = (kernel - 1) / 2;
    const y = graph.op("Conv", [x, weight([to, from, kernel, kernel])], {
      kernel_shape: [kernel, kernel],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
    });
    return graph.op("BatchNormalization", [y, ...Array.from({ length: 4 }, () => weight([to]))]);
  };
  let x = graph.op("Relu", [conv(graph.input("x", "float32", [1, 3, 224, 224]), [3, 64], 7, 2)]);
  x = graph.op("MaxPool", [x], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  let channels = 64;
  for (const filters of [64, 128, 256, 512]) {
    for (const block of [0, 1]) {
      const stride = block === 0 && filters > 64 ? 2 : 1;
      const inner = graph.op("Relu", [conv(x, [channels, filters], 3, stride)]);
      const short = channels === filters ? x : conv(x, [channels, filters], 1, stride);
      x = graph.op("Relu", [graph.op("Add", [conv(inner, [filters, filters], 3), short])]);
      channels = filters;
    }
  }
  const pooled = graph.op("Flatten", [graph.op("GlobalAveragePool", [x])]);
  graph.output(graph.op("Gemm", [pooled, weight([1000, 512]), weight([1000])], { transB: 1 }));
  return graph.finish();
}

function countsOf(model: Model): { readonly parameters: number; readonly macs: number } {
  const { parameters, totals } = countModel(model);
  const macs = totals.macs === null ? null : numberOf(totals.macs);
  return { parameters: parameters.trainable, macs: macs ?? Number.NaN };
}

/** Six layers of convolutions, their channels mixtures of few: repair has something to work with. */
function redundant(): { readonly model: Model; readonly calibration: () => AsyncIterable<Feeds> } {
  const graph = modelBuilder({ operators });
  const mixed = (outputs: number, inputs: number, window: number, seed: number): string => {
    const few = 6;
    const basis = randomFloats([few, inputs * window], seed).data as Float32Array;
    const mix = randomFloats([outputs, few], seed + 1).data as Float32Array;
    const values = Float32Array.from({ length: outputs * inputs * window }, (_, at) => {
      const [o, k] = [Math.floor(at / (inputs * window)), at % (inputs * window)];
      let sum = 0;
      for (let r = 0; r < few; r++)
        sum += (mix[o * few + r] ?? 0) * (basis[r * inputs * window + k] ?? 0);
      return sum / Math.sqrt(inputs * window * few);
    });
    const dims = window === 1 ? [outputs, inputs] : [outputs, inputs, 3, 3];
    return graph.constant("float32", { dims, values });
  };
  const bias = (size: number, seed: number): string =>
    graph.constant("float32", {
      dims: [size],
      values: randomFloats([size], seed).data as Float32Array,
    });
  let x = graph.input("x", "float32", ["batch", 3, 8, 8]);
  const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
  x = graph.op("LeakyRelu", [graph.op("Conv", [x, mixed(32, 3, 9, 1), bias(32, 2)], attributes)]);
  x = graph.op("LeakyRelu", [graph.op("Conv", [x, mixed(32, 32, 9, 3)], attributes)]);
  x = graph.op("Flatten", [
    graph.op("AveragePool", [x], { kernel_shape: [4, 4], strides: [4, 4] }),
  ]);
  x = graph.op("LeakyRelu", [
    graph.op("Gemm", [x, mixed(32, 128, 1, 5), bias(32, 6)], { transB: 1, alpha: 0.5 }),
  ]);
  graph.output(graph.op("Gemm", [x, mixed(10, 32, 1, 7), bias(10, 8)], { transB: 1, beta: 2 }), {
    name: "y",
  });
  const calibration = async function* (): AsyncGenerator<Feeds> {
    for (let seed = 0; seed < 4; seed++) {
      yield { x: { dataType: "float32", dims: [16, 3, 8, 8], data: imagesOf(seed) } };
    }
  };
  return { model: graph.finish(), calibration };
}

const imagesOf = (seed: number): Float32Array =>
  randomFloats([16, 3, 8, 8], 1000 + seed).data as Float32Array;

/** Squared error on inputs not seen, relative to the outputs' variance. */
async function errorOf(before: Model, after: Model): Promise<number> {
  const x = randomFloats([64, 3, 8, 8], 77);
  const [a, b] = [await runModel(before, { x }), await runModel(after, { x })];
  const [left, right] = [a["y"]?.data as Float32Array, b["y"]?.data as Float32Array];
  const mean = left.reduce((sum, value) => sum + value, 0) / left.length;
  const energy = left.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return left.reduce((sum, value, i) => sum + (value - (right[i] ?? 0)) ** 2, 0) / energy;
}

describe.skipIf(nativeMissing !== null)("pruning", () => {
  test("leaves of ResNet-18 at one half what is published: 11.69 M to 3.06 M, 1.82 G to 0.487 G", async () => {
    // Torch-Pruning's README (VainF/Torch-Pruning): the same network and ratio.
    const model = resnet18();
    expect(countsOf(model)).toEqual({ parameters: 11_689_512, macs: expect.closeTo(1.814e9, -7) });
    const { model: half, changes } = await prune.apply(model, context, { ratio: 0.5 });
    expect(changes).toHaveLength(12);
    const { parameters, macs } = countsOf(half);
    expect(parameters / 1e6).toBeCloseTo(3.06, 2);
    // Convolutions and the matrix: 0.483 G; the published figure counts normalisations too.
    expect(macs).toBe(483_149_824);
    expect(macs / 0.487e9).toBeGreaterThan(0.99);
  });

  test("keeps multiples of 16, at least one, and counts heads as they are", async () => {
    const keep = async (options: PruneOptions): Promise<readonly string[]> =>
      (await prune.apply(resnet18(), context, options)).changes.map(({ what }) => what);
    expect(await keep({ ratio: 0.3 })).toContain("48 of 64 units stay, in 19 tensors");
    expect((await keep({ ratio: 0.99 })).every((what) => what.startsWith("16 of"))).toBe(true);
    expect(await keep({ ratio: 0.3, align: 1 })).toContain("45 of 64 units stay, in 19 tensors");
    const heads = randomNet({ blocks: ["conv"], head: "attention", seed: 1 });
    const { groups } = await pruningGroups(heads, context);
    // Three heads of four channels: query, key and value weights and biases, and the projection.
    expect(groups.map(({ size, members }) => `${size}x${members.length}`)).toContain("3x7");
    const { changes } = await prune.apply(heads, context, { ratio: 0.34, align: 4 });
    expect(changes.map(({ what }) => what)).toContain("2 of 3 units stay, in 7 tensors");
  });

  test("leaves alone what a normalisation averages over, unless asked", async () => {
    const model = randomNet({ blocks: ["conv"], head: "attention", seed: 1 });
    const options = { ratio: 0.5, align: 4 };
    const { refused } = await prune.apply(model, context, options);
    expect(refused.map(({ reason }) => reason).join()).toMatch(/a normalisation averages over it/);
    const { model: small } = await prune.apply(model, context, { ...options, normalised: true });
    const outputs = await runModel(small, { x: randomFloats([1, 4, 8, 8], 1) });
    expect(outputs["y"]?.dims).toEqual([1, 3]);
  });

  test("says of each weight that stays whole why", async () => {
    const graph: GraphBuilder & { finish(): Model } = modelBuilder({ operators });
    const x = graph.input("x", "float32", [1, 8, 4, 4]);
    const weight = (dims: readonly number[], seed: number): string =>
      graph.constant("float32", {
        name: `w${seed}`,
        dims,
        values: randomFloats(dims, seed).data as Float32Array,
      });
    const first = graph.op("Conv", [x, weight([8, 8, 1, 1], 1)]);
    const second = graph.op("Softmax", [graph.op("Conv", [first, weight([6, 8, 1, 1], 2)])], {
      axis: 1,
    });
    const third = graph.op("CumSum", [
      graph.op("Conv", [second, weight([5, 6, 1, 1], 3)]),
      graph.constant("int64", { dims: [], values: [1n] }),
    ]);
    graph.output(graph.op("Conv", [third, weight([4, 5, 1, 1], 4)]), { name: "y" });
    const { groups, frozen } = await pruningGroups(graph.finish(), context);
    expect(groups.map(({ name }) => name)).toEqual(["w1"]);
    expect(frozen.map(({ tensor, axis, reason }) => `${tensor} ${axis}: ${reason}`)).toEqual([
      'w1 1: it is the input "x"',
      'w2 0: Softmax "softmax1": Softmax mixes it',
      'w3 1: Softmax "softmax1": Softmax mixes it',
      'w3 0: CumSum "cumsum1": this operator is not followed',
      'w4 1: CumSum "cumsum1": this operator is not followed',
      'w4 0: it is the output "y"',
    ]);
  });
});

describe.skipIf(nativeMissing !== null)("repair by least squares", () => {
  test("brings outputs much nearer on inputs it has not seen, and nearer still by reconstruction", async () => {
    const { model, calibration } = redundant();
    const withData = { ...context, calibration };
    const options = { ratio: 0.5, align: 1 };
    const plain = await prune.apply(model, context, options);
    const repaired = await prune.apply(model, withData, options);
    const chosen = await prune.apply(model, withData, {
      ...options,
      importance: { by: "reconstruction" },
    });
    const [without, refitted, reconstructed] = [
      await errorOf(model, plain.model),
      await errorOf(model, repaired.model),
      await errorOf(model, chosen.model),
    ];
    expect(refitted).toBeLessThan(0.3 * without);
    expect(reconstructed).toBeLessThan(refitted);
  });

  test("is exact where what goes depends on what stays", async () => {
    // Without activations six of the 32 channels span all of them.
    const graph = modelBuilder({ operators });
    const { model: source } = redundant();
    const [first, bias] = source.graph?.initializers ?? [];
    if (first === undefined || bias === undefined) throw new Error("no weights");
    let x = graph.input("x", "float32", ["batch", 3, 8, 8]);
    const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
    x = graph.op(
      "Conv",
      [x, graph.initializer("first", first), graph.initializer("b", bias)],
      attributes,
    );
    const last = randomFloats([4, 32, 1, 1], 5).data as Float32Array;
    graph.output(
      graph.op("Conv", [x, graph.constant("float32", { dims: [4, 32, 1, 1], values: last })]),
      { name: "y" },
    );
    const model = graph.finish();
    const { calibration } = redundant();
    const { model: small, changes } = await prune.apply(
      model,
      { ...context, calibration },
      { ratio: 0.5, align: 1 },
    );
    expect(changes[0]?.what).toBe("16 of 32 units stay, in 3 tensors");
    expect(await errorOf(model, small)).toBeLessThan(1e-4);
  });

  test("ranks by scale, gradients and curvature as they say", async () => {
    const { model, calibration } = redundant();
    const weights =
      model.graph?.initializers.map(({ name = "", dims }) => [name, dims] as const) ?? [];
    // Gradients that make the second half of every tensor's first axis matter.
    const gradients = new Map(
      weights.map(([name, dims]) => {
        const size = dims.reduce((product, dim) => product * Number(dim), 1);
        return [
          name,
          Float32Array.from({ length: size }, (_, i) => (i < size / 2 ? 0 : 1)),
        ] as const;
      }),
    );
    for (const importance of [
      { by: "taylor", gradients },
      { by: "hessian" },
      { by: "scale" },
      { by: "weight", p: 1 },
    ] as const) {
      const options = { ratio: 0.5, align: 1, importance, repair: false };
      const { model: small } = await prune.apply(model, { ...context, calibration }, options);
      expect(await errorOf(model, small)).toBeLessThan(3);
    }
    await expect(
      prune.apply(model, context, {
        ratio: 0.5,
        importance: { by: "taylor", gradients: new Map() },
      }),
    ).rejects.toThrow(/no gradients/);
  });
});

describe.skipIf(nativeMissing !== null)("the scope of a ranking", () => {
  test("takes more from where units matter least, within like groups only when isomorphic", async () => {
    const model = randomNet({ blocks: [...MAP_BLOCKS], head: "flatten", seed: 5 });
    const keptOf = async (scope: "local" | "global" | "isomorphic"): Promise<readonly string[]> =>
      (await prune.apply(model, context, { ratio: 0.4, align: 1, scope })).changes.map(
        ({ subject, what }) => `${subject} ${what.split(" ")[0]}`,
      );
    const [local, global, isomorphic] = [
      await keptOf("local"),
      await keptOf("global"),
      await keptOf("isomorphic"),
    ];
    expect(global).not.toEqual(local);
    expect(isomorphic).not.toEqual(global);
  });
});

describe.skipIf(nativeMissing !== null)("godwit's own networks", () => {
  test.each(["resnet-8", "mobilenet-v2-small", "squeezenet-small", "vgg-small"])(
    "%s prunes and runs",
    async (name) => {
      const model = netNamed(name).build({ operators });
      const { model: small, changes } = await prune.apply(model, context, { ratio: 0.5, align: 4 });
      expect(changes.length).toBeGreaterThan(2);
      const { channels, size } = netNamed(name).input;
      const image = randomFloats([2, channels, size, size], 1);
      const { scores } = await runModel(small, { image });
      expect(scores?.dims).toEqual([2, 10]);
      for (const score of scores?.data ?? []) expect(score).toSatisfy(Number.isFinite);
      const [before, after] = [countsOf(model).parameters, countsOf(small).parameters];
      expect(after / before).toBeLessThan(0.4);
    },
  );
});

describe.skipIf(nativeMissing !== null)("sensitivity", () => {
  test("is zero where nothing is lost, and a budget spares what is sensitive", async () => {
    const graph = modelBuilder({ operators });
    const weight = (dims: readonly number[], seed: number, dead = 0): string => {
      const values = randomFloats(dims, seed).data as Float32Array;
      const inner = dims.slice(1).reduce((product, dim) => product * dim, 1);
      // The last rows make nothing.
      values.fill(0, (dims[0] ?? 0) * inner - dead * inner);
      return graph.constant("float32", { name: `w${seed}`, dims, values });
    };
    let x = graph.input("x", "float32", [4, 16]);
    x = graph.op("Relu", [graph.op("Gemm", [x, weight([32, 16], 1, 16)], { transB: 1 })]);
    x = graph.op("Relu", [graph.op("Gemm", [x, weight([32, 32], 2)], { transB: 1 })]);
    graph.output(graph.op("Gemm", [x, weight([8, 32], 3)], { transB: 1 }), { name: "y" });
    const model = graph.finish();
    const calibration = async function* (): AsyncGenerator<Feeds> {
      const data = randomFloats([4, 16], 9).data as Float32Array;
      yield { x: { dataType: "float32", dims: [4, 16], data } };
    };
    const rows = await pruningSensitivity(
      model,
      { ...context, calibration },
      { importance: { by: "hessian" }, repair: false, ratios: [0.5] },
    );
    expect(rows.map(({ group, loss }) => [group, loss > 1e-6])).toEqual([
      ["w1", false],
      ["w2", true],
    ]);
    const macs = 4 * (16 * 32 + 32 * 32 + 32 * 8);
    expect(rows[0]?.macs).toBe(4 * (16 * 16 + 16 * 32 + 32 * 8));
    expect(ratiosWithin(rows, { macs, keep: 0.7 })).toEqual({ w1: 0.5, w2: 0 });
    expect(ratiosWithin(rows, { macs, keep: 0.2 })).toBeNull();
  });
});
