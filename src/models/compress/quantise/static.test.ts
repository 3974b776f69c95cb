import { beforeAll, describe, expect, test } from "vitest";
import { randomFloats } from "../../../../test/onnx-runtime.ts";
import { operators } from "../../../../test/operators.ts";
import { nativeRuntime } from "../../../engine/index.ts";
import {
  elementsOf,
  indexGraph,
  type Model,
  type ModelBuilder,
  modelBuilder,
  type Tensor,
  tensorOf,
} from "../../../onnx/index.ts";
import type { Feeds, PassContext } from "../pass.ts";
import type { CalibrationMethod } from "./calibrate/calibrate.ts";
import { floatLeftovers } from "./check-islands.ts";
import { mixPrecision } from "./mixed-precision.ts";
import { payingIslands } from "./paying-islands.ts";
import { outputsOn, relativeError, sensitivityScan } from "./sensitivity.ts";
import { prepareStatic, quantiseStatic, type StaticOptions } from "./static.ts";

const SHAPE = [1, 3, 16, 16];
const feedsOf = (seed: number): Feeds => ({
  x: { dataType: "float32", dims: SHAPE, data: randomFloats(SHAPE, seed).data as Float32Array },
});
const context: PassContext = {
  operators,
  runtime: nativeRuntime(),
  seed: 1,
  async *calibration() {
    for (let seed = 1; seed <= 6; seed++) yield feedsOf(seed);
  },
};
const unseen = [101, 102, 103].map(feedsOf);

const build = (make: (of: ModelBuilder, x: string) => string): Model => {
  const builder = modelBuilder({ operators });
  const x = builder.input("x", "float32", ["batch", 3, 16, 16]);
  builder.output(make(builder, x), { name: "y" });
  return builder.finish();
};

/** Weights of about the size that keeps activations in range. */
const weight = (of: ModelBuilder, dims: readonly number[], seed: number): string => {
  const fan = dims.slice(1).reduce((product, size) => product * size, 1);
  const values = (randomFloats(dims, seed).data as Float32Array).map((v) => v / Math.sqrt(fan));
  return of.constant("float32", { dims, values });
};

const conv = (of: ModelBuilder, x: string, [o, i]: readonly [number, number], seed: number) =>
  of.op("Conv", [x, weight(of, [o, i, 3, 3], seed), weight(of, [o], seed + 50)], {
    pads: [1, 1, 1, 1],
  });

/** Residual block, pooling, parts joined, hard swish, a classifier. */
const network = build((of, x) => {
  const stem = of.op("Relu", [conv(of, x, [16, 3], 1)]);
  const block = of.op("Relu", [conv(of, stem, [16, 16], 2)]);
  const sum = of.op("Relu", [of.op("Add", [conv(of, block, [16, 16], 3), stem])]);
  const pooled = of.op("MaxPool", [sum], { kernel_shape: [2, 2], strides: [2, 2] });
  const other = of.op("Relu", [conv(of, pooled, [16, 16], 4)]);
  const joined = conv(of, of.op("Concat", [pooled, other], { axis: 1 }), [16, 32], 5);
  const swish = of.op("Mul", [joined, of.op("HardSigmoid", [joined], { alpha: 1 / 6, beta: 0.5 })]);
  const moved = of.op("Add", [swish, of.constant("float32", { dims: [], values: [-0.2] })]);
  const last = of.op("Relu", [conv(of, moved, [16, 16], 6)]);
  const flat = of.op("Flatten", [of.op("GlobalAveragePool", [last])]);
  return of.op("Gemm", [flat, weight(of, [16, 10], 7), weight(of, [10], 8)]);
});

const errorOf = async (model: Model, float = network): Promise<number> => {
  const [expected, actual] = [
    await outputsOn(float, unseen, context),
    await outputsOn(model, unseen, context),
  ];
  return Math.max(...expected.map((outputs, at) => relativeError(outputs, actual[at] ?? {})));
};

const quantised = async (options?: StaticOptions, float = network): Promise<Model> =>
  (await quantiseStatic.apply(float, context, options)).model;

describe("a residual network in 8 bits", () => {
  let model: Model;
  beforeAll(async () => {
    model = await quantised();
  });

  test("gives what it gave in floats, on inputs that it was not calibrated on", async () => {
    expect(await errorOf(model)).toBeLessThan(2e-3);
  });

  test("runs without floats in its middle", async () => {
    expect(await floatLeftovers(model, unseen[0] ?? {}, context)).toEqual([]);
    const ops = model.graph?.nodes.map(({ opType }) => opType) ?? [];
    // The gate has become a grid of its own, the summand a zero point.
    expect(ops).not.toContain("HardSigmoid");
    expect(ops.filter((op) => op === "Add")).toHaveLength(1);
  });

  test("keeps one grid through pooling and joining", () => {
    const index = indexGraph(model.graph ?? { ...emptyGraph });
    const pool = model.graph?.nodes.find(({ opType }) => opType === "MaxPool");
    const gridOf = (node: { readonly inputs: readonly string[] } | null | undefined) =>
      node?.inputs.slice(1).map((name) => {
        const tensor = index.constant(name);
        return tensor === null ? null : [...elementsOf(tensor)];
      });
    const before = index.producer(pool?.inputs[0] ?? "");
    const after = index.uses(pool?.outputs[0] ?? "")[0]?.node;
    expect(after?.opType).toBe("QuantizeLinear");
    expect(gridOf(after)).toEqual(gridOf(before));
  });

  test("puts zero at the least level behind every Relu", () => {
    const index = indexGraph(model.graph ?? { ...emptyGraph });
    const relus = model.graph?.nodes.filter(({ opType }) => opType === "Relu") ?? [];
    expect(relus.length).toBe(5);
    for (const relu of relus) {
      const [use] = index.uses(relu.outputs[0] ?? "");
      const zero = index.constant(use?.node.inputs[2] ?? "");
      expect(zero && Number(elementsOf(zero)[0])).toBe(0);
    }
  });

  test("finds floats where there are some: Relus whose grids do not begin at 0", async () => {
    const { graph } = model;
    if (graph === undefined) throw new RangeError("no graph");
    const index = indexGraph(graph);
    const relus = graph.nodes.filter(({ opType }) => opType === "Relu");
    const zeros = new Set(
      relus.map(({ outputs: [y = ""] }) => index.uses(y)[0]?.node.inputs[2] ?? ""),
    );
    const initializers = graph.initializers.map((of) =>
      zeros.has(of.name ?? "") ? shaken(of) : of,
    );
    const left = await floatLeftovers(
      { ...model, graph: { ...graph, initializers } },
      unseen[0] ?? {},
      context,
    );
    // Each goes into a convolution in floats, but for the one behind a sum; their weights follow.
    const runs = left.map((of) => of.runs);
    expect(runs.filter((one) => one === "FusedConv" || one === "Relu")).toHaveLength(relus.length);
    expect(left.find((of) => of.runs === "Relu")?.reason).toContain("does not stand for 0");
    expect(runs.filter((one) => one === "DequantizeLinear")).toHaveLength(8);
  });

  // What a checker of agreement must be able to see.
  test.each(["scale", "zero", "int8"])("shows it when a %s is corrupted", async (kind) => {
    const healthy = await errorOf(model);
    const tensors = model.graph?.initializers ?? [];
    // Step and levels of a weight, zero point of an activation.
    const victim = tensors.find(
      ({ name = "", dims }) =>
        name.endsWith(`/${kind}`) && (kind === "zero" ? dims.length === 0 : dims.length > 0),
    );
    const corrupted = tensors.map((of) => (of === victim ? shaken(of) : of));
    const graph = model.graph && { ...model.graph, initializers: corrupted };
    expect(await errorOf({ ...model, ...(graph && { graph }) })).toBeGreaterThan(5 * healthy);
  });
});

const emptyGraph = {
  ...{ nodes: [], initializers: [], sparseInitializers: [], inputs: [], outputs: [] },
  ...{ valueInfos: [], metadata: [] },
};

/** Three times the step, another zero, or weights in another order. */
function shaken(tensor: Tensor): Tensor {
  const elements = [...(elementsOf(tensor) as Float32Array)];
  const values =
    tensor.dataType === "float32"
      ? elements.map((value) => 3 * value)
      : tensor.dims.length === 0
        ? elements.map((value) => (value > 128 ? value - 60 : value + 60))
        : elements.toReversed();
  const dims = tensor.dims.map(Number);
  return { ...tensorOf(tensor.dataType ?? "float32", { dims, values }), name: tensor.name ?? "" };
}

test.each<CalibrationMethod>([
  "minmax",
  "moving-average",
  "sample-mean",
  "percentile",
  "entropy",
  "mse",
])("calibration by %s gives a model that works", async (method) => {
  const model = await quantised({ calibration: { method }, biasCorrection: false });
  expect(await errorOf(model)).toBeLessThan(method === "entropy" ? 0.2 : 0.02);
});

test("a grid for each channel errs less than one for all", async () => {
  const lopsided = build((of, x) => {
    const values = (randomFloats([16, 3, 3, 3], 1).data as Float32Array).map(
      (value, at) => value * 4 ** -Math.floor(at / 27 / 4),
    );
    const w = of.constant("float32", { dims: [16, 3, 3, 3], values });
    return of.op("Conv", [
      of.op("Relu", [conv(of, of.op("Conv", [x, w]), [8, 16], 2)]),
      weight(of, [4, 8, 1, 1], 3),
    ]);
  });
  const options = { biasCorrection: false };
  const perChannel = await errorOf(await quantised({ ...options }, lopsided), lopsided);
  const perTensor = await errorOf(
    await quantised({ ...options, perChannel: false }, lopsided),
    lopsided,
  );
  expect(perChannel).toBeLessThan(perTensor);
});

test("biases that are corrected take the mean error away", async () => {
  // One large weight in each channel makes the steps of all others coarse, always in one direction.
  const skewed = build((of, x) => {
    const positive = of.op("Relu", [x]);
    const values = Float32Array.from({ length: 8 * 27 }, (_, at) => (at % 27 === 0 ? 2 : 0.0105));
    const w = of.constant("float32", { dims: [8, 3, 3, 3], values });
    return of.op("Conv", [positive, w, weight(of, [8], 1)]);
  });
  const [plain, corrected] = [
    await errorOf(await quantised({ biasCorrection: false }, skewed), skewed),
    await errorOf(await quantised({}, skewed), skewed),
  ];
  expect(corrected).toBeLessThan(plain / 2);
});

test("weights that are rounded for their outputs err less than those at the nearest level", async () => {
  // Seven bits, one grid for all channels: coarse enough for the rounding to matter.
  const options = { reduceRange: true, perChannel: false, biasCorrection: false } as const;
  const nearest = await errorOf(await quantised(options));
  const adaptive = await errorOf(await quantised({ ...options, rounding: "adaptive" }));
  expect(adaptive).toBeLessThan(nearest);
});

test("nodes that are kept in floats stay so, and the rest is in 8 bits", async () => {
  const quantiser = await prepareStatic(network, context);
  const names = quantiser.candidates.map(({ name }) => name);
  expect(quantiser.candidates.map(({ operator }) => operator)).toEqual([
    ...Array(6).fill("Conv"),
    "Gemm",
  ]);
  const { model, refused } = quantiser.build(names.slice(1, 3));
  expect(refused.map(({ subject }) => subject)).toEqual(expect.arrayContaining(names.slice(1, 3)));
  expect(await floatLeftovers(model, unseen[0] ?? {}, context)).toEqual([]);
  expect(await errorOf(model)).toBeLessThan(2e-3);
  const none = quantiser.build(names);
  expect(none.changes).toEqual([]);
  expect(await errorOf(none.model)).toBe(0);
});

test("the scan finds the node that 8 bits ruin", async () => {
  // A product of large and small numbers in one tensor: steps for the large ones swallow the small ones.
  const fragile = build((of, x) => {
    const first = of.op("Relu", [conv(of, x, [8, 3], 1)]);
    const spread = of.constant("float32", {
      dims: [1, 8, 1, 1],
      values: [1000, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01],
    });
    const back = of.constant("float32", {
      dims: [1, 8, 1, 1],
      values: [0, 50, 50, 50, 50, 50, 50, 50],
    });
    const wide = of.op("Mul", [first, spread]);
    const w = of.constant("float32", {
      dims: [8, 1, 3, 3],
      values: (randomFloats([8, 1, 3, 3], 4).data as Float32Array).map((v) => v / 3),
    });
    const fragileConv = of.op({ type: "Conv", name: "fragile" }, [wide, w], {
      group: 8,
      pads: [1, 1, 1, 1],
    });
    return conv(of, of.op("Mul", [fragileConv, back]), [4, 8], 3);
  });
  const quantiser = await prepareStatic(fragile, context);
  const scan = await sensitivityScan(fragile, quantiser, context, { samples: 2 });
  expect(scan.at(-1)?.name).toBe("fragile");
  expect(scan.at(-1)?.error ?? 0).toBeGreaterThan(10 * (scan[0]?.error ?? 0));
  const kept = quantiser.build(["fragile"]).model;
  expect(await errorOf(kept, fragile)).toBeLessThan(
    0.1 * (await errorOf(quantiser.build([]).model, fragile)),
  );
});

describe("mixed precision", () => {
  test("keeps in floats what the score needs, and no more than it found", async () => {
    const quantiser = await prepareStatic(network, context);
    const scan = await sensitivityScan(network, quantiser, context, { samples: 2 });
    // A score that needs two particular nodes in floats and knows nothing else.
    const needed = [scan[3]?.key ?? "", scan[5]?.key ?? ""];
    const isFloat = (model: Model, key: string): boolean => {
      const index = indexGraph(model.graph ?? emptyGraph);
      const node = model.graph?.nodes.find(({ outputs }) =>
        outputs.some((of) => of.startsWith(key)),
      );
      return index.constant(node?.inputs[1] ?? "")?.dataType === "float32";
    };
    const evaluate = async (model: Model) => needed.filter((key) => isFloat(model, key)).length;
    const mix = await mixPrecision(quantiser, scan, { evaluate, least: 2 });
    expect([...(mix.keepFloat ?? [])].sort()).toEqual([...needed].sort());
    const never = await mixPrecision(quantiser, scan, { evaluate, least: 3 });
    expect(never.keepFloat).toBeNull();
    expect(never.trials.length).toBeGreaterThan(3);
  });

  test("leaves out islands that do not pay", async () => {
    const quantiser = await prepareStatic(network, context);
    expect(quantiser.islands([])).toHaveLength(1);
    // Without its middle the network falls into two.
    const [, , third] = quantiser.candidates;
    const apart = quantiser.islands([third?.key ?? "", quantiser.candidates[3]?.key ?? ""]);
    expect(apart.flat()).toHaveLength(5);
    expect(apart.length).toBeGreaterThan(1);
    const { islands, keepFloat } = await payingIslands(quantiser, unseen[0] ?? {}, context, {
      runs: 3,
    });
    expect(islands).toHaveLength(1);
    expect(keepFloat).toHaveLength((islands[0]?.saving ?? 0) > 0 ? 0 : 7);
  });
});

describe("what cannot be quantised is refused", () => {
  test("a model that is so already", async () => {
    const model = await quantised();
    const again = await quantiseStatic.apply(model, context, undefined);
    expect(again.model).toBe(model);
    expect(again.refused[0]?.reason).toMatch(/quantised already/);
    await expect(prepareStatic(model, context)).rejects.toThrow(/quantised already/);
  });

  test("inputs that are missing or not finite", async () => {
    const { calibration: _, ...without } = context;
    await expect(quantiseStatic.apply(network, without, undefined)).rejects.toThrow(/needs inputs/);
    const broken: PassContext = {
      ...context,
      async *calibration() {
        yield {
          x: { dataType: "float32", dims: SHAPE, data: new Float32Array(768).fill(Number.NaN) },
        };
      },
    };
    await expect(quantiseStatic.apply(network, broken, undefined)).rejects.toThrow(/not finite/);
  });

  test("entropy with so few bins that it chooses nothing", async () => {
    const options = { calibration: { method: "entropy", bins: 128 } } as const;
    await expect(quantised(options)).rejects.toThrow(/128 bins/);
  });
});

test("a stop is heard between two runs", async () => {
  const controller = new AbortController();
  const stopping = { ...context, signal: controller.signal, onProgress: () => controller.abort() };
  await expect(quantiseStatic.apply(network, stopping, undefined)).rejects.toThrow(/abort/);
});
