import type { Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { randomFloats, runModel, type Values } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import type { AttributeValues } from "../attribute-from.ts";
import { type GraphBuilder, modelBuilder } from "../builder.ts";
import { checkModel } from "../check/check-model.ts";
import type { DataType, Model } from "../model.ts";
import { upgradeModel } from "./upgrade-model.ts";

/** A model of an old opset and what to run it on. */
interface Case {
  readonly opset: number;
  /** Dimensions of float inputs by name; all are named `x` unless told otherwise. */
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  build(g: GraphBuilder): void;
  /** Operators that must have changed, in order; none for versions that only widen. */
  readonly became: readonly string[];
  /** Inputs that are not random. */
  readonly fixed?: Values;
  /** Largest allowed difference; none unless the new kernel adds in another order. */
  readonly tolerance?: number;
}

/** One node on `x` whose outputs are all outputs of the graph. */
function node(
  type: string,
  attributes: AttributeValues = {},
  options: { readonly outputs?: number; readonly inputs?: (g: GraphBuilder) => string[] } = {},
): (g: GraphBuilder) => void {
  return (g) => {
    const inputs = ["x", ...(options.inputs?.(g) ?? [])];
    const { outputs = 1 } = options;
    g.ops(type, inputs, { outputs, attributes }).forEach((value, index) => {
      g.output(value, { name: `y${index}` });
    });
  };
}

const floats =
  (...values: number[]) =>
  (g: GraphBuilder) => [g.constant("float32", { dims: [values.length], values })];
const ints =
  (...lists: readonly number[][]) =>
  (g: GraphBuilder) =>
    lists.map((values) => g.constant("int64", { dims: [values.length], values }));

const x = (...dims: readonly number[]) => ({ x: dims });
const reductions = [
  "L1",
  "L2",
  "LogSum",
  "LogSumExp",
  "Max",
  "Mean",
  "Min",
  "Prod",
  "Sum",
  "SumSquare",
];
const CHANNELS = [0.5, 2, 1.5];

const cases: Readonly<Record<string, Case>> = {
  "BatchNormalization 7": {
    opset: 7,
    inputs: x(2, 3, 4),
    build: node(
      "BatchNormalization",
      { spatial: 1 },
      {
        inputs: (g) => [0, 1, 2, 3].map(() => floats(...CHANNELS)(g)[0] ?? ""),
      },
    ),
    became: ["BatchNormalization", "BatchNormalization"],
  },
  "Dropout 7": {
    opset: 7,
    inputs: x(5),
    build: node("Dropout", { ratio: 0.3 }),
    became: ["Dropout", "Dropout"],
  },
  "Dropout 10 of the default ratio": {
    opset: 10,
    inputs: x(5),
    build: node("Dropout"),
    became: ["Dropout"],
  },
  "Clip 6": {
    opset: 10,
    inputs: x(9),
    build: node("Clip", { min: -0.5, max: 1 }),
    became: ["Clip"],
  },
  "Clip 6 from above": {
    opset: 7,
    inputs: x(9),
    build: node("Clip", { max: 0.25 }),
    became: ["Clip"],
  },
  "Clip 6 without bounds": { opset: 9, inputs: x(9), build: node("Clip"), became: ["Clip"] },
  "Pad 2": {
    opset: 10,
    inputs: x(2, 3),
    build: node("Pad", { pads: [1, 0, 0, 2], value: 1.5 }),
    became: ["Pad"],
  },
  "Pad 2 with negative pads": {
    opset: 7,
    inputs: x(4, 4),
    build: node("Pad", { pads: [-1, 1, 0, -2] }),
    became: ["Pad"],
  },
  "Pad 2 by reflection": {
    opset: 8,
    inputs: x(4, 4),
    build: node("Pad", { pads: [2, 1, 0, 3], mode: "reflect" }),
    became: ["Pad"],
  },
  "Slice 1": {
    opset: 9,
    inputs: x(4, 5, 6),
    build: node("Slice", { starts: [1, -3], ends: [2 ** 31 - 1, -1], axes: [0, 2] }),
    became: ["Slice"],
  },
  "Slice 1 without axes": {
    opset: 7,
    inputs: x(4, 5),
    build: node("Slice", { starts: [1, 0], ends: [-1, 2] }),
    became: ["Slice"],
  },
  "Slice 1 to the end of int64": {
    opset: 9,
    inputs: x(4, 5),
    build: node("Slice", { starts: [1n], ends: [2n ** 63n - 1n], axes: [1n] }),
    became: ["Slice"],
  },
  "Slice 1 that leaves nothing": {
    opset: 9,
    inputs: x(4, 5),
    build: node("Slice", { starts: [3], ends: [1], axes: [0] }),
    became: ["Slice"],
  },
  "TopK 1": {
    opset: 9,
    inputs: x(3, 7),
    build: node("TopK", { k: 2, axis: -1 }, { outputs: 2 }),
    became: ["TopK"],
  },
  "TopK 10": {
    opset: 10,
    inputs: x(7, 3),
    build: node("TopK", { axis: 0 }, { outputs: 2, inputs: ints([4]) }),
    became: [],
  },
  "Squeeze 1": {
    opset: 10,
    inputs: x(1, 3, 1),
    build: node("Squeeze", { axes: [2] }),
    became: ["Squeeze"],
  },
  "Squeeze 1 of every one": {
    opset: 11,
    inputs: x(1, 3, 1),
    build: node("Squeeze"),
    became: ["Squeeze"],
  },
  "Squeeze 11 by a negative axis": {
    opset: 12,
    inputs: x(1, 3, 1),
    build: node("Squeeze", { axes: [-1] }),
    became: ["Squeeze"],
  },
  "Unsqueeze 1": {
    opset: 8,
    inputs: x(2, 3),
    build: node("Unsqueeze", { axes: [0, 3] }),
    became: ["Unsqueeze"],
  },
  "Split 2 by sizes": {
    opset: 7,
    inputs: x(5, 2),
    build: node("Split", { axis: 0, split: [1, 3, 1] }, { outputs: 3 }),
    became: ["Split", "Split"],
  },
  "Split 11 in equal parts": {
    opset: 11,
    inputs: x(2, 6),
    build: node("Split", { axis: -1 }, { outputs: 3 }),
    became: ["Split", "Split"],
  },
  "Split 13 in equal parts": {
    opset: 13,
    inputs: x(2, 6),
    build: node("Split", { axis: 1 }, { outputs: 2 }),
    became: ["Split"],
  },
  "Split 13 by sizes": {
    opset: 13,
    inputs: x(2, 6),
    build: node("Split", { axis: 1 }, { outputs: 2, inputs: ints([1, 5]) }),
    became: ["Split"],
  },
  "Upsample 7 to the nearest": {
    opset: 7,
    inputs: x(1, 2, 3, 4),
    build: node("Upsample", { scales: [1, 1, 2, 3] }),
    became: ["Upsample", "Resize", "Resize"],
  },
  "Upsample 7 by a fraction": {
    opset: 8,
    inputs: x(1, 1, 4, 4),
    build: node("Upsample", { scales: [1, 1, 1.5, 2.6] }),
    became: ["Upsample", "Resize", "Resize"],
  },
  "Upsample 9 linear": {
    opset: 9,
    inputs: x(1, 2, 3, 4),
    build: node("Upsample", { mode: "linear" }, { inputs: floats(1, 1, 2.5, 2) }),
    became: ["Resize", "Resize"],
  },
  "Resize 10 growing to the nearest": {
    opset: 10,
    inputs: x(1, 1, 4, 5),
    build: node("Resize", {}, { inputs: floats(1, 1, 1.7, 2) }),
    became: ["Resize", "Resize"],
  },
  "Resize 10 shrinking to the nearest": {
    opset: 10,
    inputs: x(1, 1, 9, 7),
    build: node("Resize", {}, { inputs: floats(1, 1, 0.6, 0.4) }),
    became: ["Resize", "Resize"],
  },
  "Resize 10 linear": {
    opset: 10,
    inputs: x(1, 1, 6, 5),
    build: node("Resize", { mode: "linear" }, { inputs: floats(1, 1, 0.5, 2) }),
    became: ["Resize", "Resize"],
  },
  "Resize 11 cubic, with empty inputs": {
    opset: 11,
    inputs: x(1, 1, 6, 5),
    build: node(
      "Resize",
      { mode: "cubic" },
      {
        inputs: (g) => [...floats()(g), ...floats()(g), ...ints([1, 1, 9, 4])(g)],
      },
    ),
    became: ["Resize"],
  },
  "Resize 11 of a region": {
    opset: 11,
    inputs: x(1, 1, 6, 5),
    build: node(
      "Resize",
      { mode: "linear", coordinate_transformation_mode: "tf_crop_and_resize" },
      {
        inputs: (g) => [...floats(0, 0, 0.2, 0.1, 1, 1, 0.9, 0.8)(g), ...floats(1, 1, 2, 2)(g)],
      },
    ),
    became: ["Resize"],
  },
  "Resize 13": {
    opset: 13,
    inputs: x(1, 1, 6, 5),
    build: node("Resize", { mode: "linear" }, { inputs: (g) => ["", ...floats(1, 1, 2, 0.5)(g)] }),
    became: [],
  },
  "Scatter 9": {
    opset: 9,
    inputs: { x: [3, 3], u: [2, 3] },
    build: node(
      "Scatter",
      { axis: 0 },
      {
        inputs: (g) => [g.constant("int64", { dims: [2, 3], values: [1, 0, 2, 0, 2, 1] }), "u"],
      },
    ),
    became: ["ScatterElements"],
  },
  "GroupNormalization 18": {
    opset: 18,
    inputs: x(2, 6, 4),
    build: node(
      "GroupNormalization",
      { num_groups: 3 },
      { inputs: (g) => [...floats(1, 2, 3)(g), ...floats(0.5, 0, -1)(g)] },
    ),
    became: [
      "Shape",
      "Div",
      "Concat",
      "Reshape",
      "Expand",
      "Reshape",
      "Reshape",
      "Expand",
      "Reshape",
      "GroupNormalization",
    ],
  },
  "DFT 17": { opset: 17, inputs: x(1, 8, 3, 1), build: node("DFT", { axis: 2 }), became: ["DFT"] },
  "DFT 17 of the default axis": {
    opset: 17,
    inputs: x(1, 8, 3, 1),
    build: node("DFT"),
    became: ["DFT"],
  },
  "GridSample 16": {
    opset: 16,
    inputs: { x: [1, 2, 4, 4], grid: [1, 3, 3, 2] },
    build: node("GridSample", {}, { inputs: () => ["grid"] }),
    became: ["GridSample"],
  },
  "GridSample 16 bicubic": {
    opset: 16,
    inputs: { x: [1, 2, 4, 4], grid: [1, 3, 3, 2] },
    build: node(
      "GridSample",
      { mode: "bicubic", padding_mode: "border" },
      { inputs: () => ["grid"] },
    ),
    became: ["GridSample"],
  },
  "RoiAlign 10": {
    opset: 10,
    inputs: x(1, 2, 8, 8),
    build: node(
      "RoiAlign",
      { output_height: 2, output_width: 3, sampling_ratio: 2, spatial_scale: 0.5 },
      {
        inputs: (g) => [
          g.constant("float32", { dims: [2, 4], values: [0, 0, 9, 7, 2, 3, 14, 15] }),
          ...ints([0, 0])(g),
        ],
      },
    ),
    became: ["RoiAlign"],
  },
  "Erf 9": { opset: 9, inputs: x(5), build: node("Erf"), became: ["Erf"] },
  ...Object.fromEntries(
    ["Softmax", "LogSoftmax", "Hardmax"].flatMap((type) => [
      [
        `${type} 1 over rows`,
        {
          opset: 9,
          inputs: x(2, 3, 4),
          build: node(type, { axis: 1 }),
          became: ["Shape", "Flatten", type, "Reshape"],
        },
      ],
      [`${type} 11 by default`, { opset: 11, inputs: x(3, 4), build: node(type), became: [type] }],
      [
        `${type} 11 over all`,
        {
          opset: 12,
          inputs: x(3, 2, 2),
          build: node(type, { axis: 0 }),
          became: ["Shape", "Flatten", type, "Reshape"],
        },
      ],
      [
        `${type} 11 by a negative axis`,
        {
          opset: 11,
          inputs: x(2, 3, 2),
          build: node(type, { axis: -2 }),
          became: ["Shape", "Flatten", type, "Reshape"],
        },
      ],
      [
        `${type} 11 of nothing`,
        { opset: 11, inputs: x(2, 0, 3), build: node(type, { axis: 2 }), became: [type] },
      ],
    ]),
  ),
  ...Object.fromEntries(
    reductions.flatMap((name) => {
      const type = `Reduce${name}`;
      const positive = (g: GraphBuilder, attributes: AttributeValues) =>
        g.output(g.op(type, [g.op("Abs", ["x"])], attributes), { name: "y" });
      return [
        [
          `${type} 1 over axes`,
          {
            opset: 7,
            inputs: x(2, 3, 4),
            build: (g: GraphBuilder) => positive(g, { axes: [0, 2] }),
            became: [type],
          },
        ],
        [
          `${type} 11 over all`,
          {
            opset: 11,
            inputs: x(2, 3),
            build: (g: GraphBuilder) => positive(g, { keepdims: 0 }),
            became: [type],
          },
        ],
        [
          `${type} 11 over a negative axis`,
          {
            opset: 12,
            inputs: x(2, 3),
            build: (g: GraphBuilder) => positive(g, { axes: [-1] }),
            became: [type],
          },
        ],
      ];
    }),
  ),
};

describe("ONNX Runtime computes the same before and after", () => {
  test.each(Object.entries(cases))("%s", async (_, of) => {
    const model = modelOf(of);
    const upgrade = upgradeModel(model, { operators });
    if (upgrade.status === "refused") throw new Error(JSON.stringify(upgrade.refusals));
    expect(upgrade.changes.flatMap(({ became }) => became)).toEqual(of.became);
    expect(checkModel(upgrade.model, operators)).toEqual([]);
    await expectSame(model, upgrade.model, of);
  });
});

/** Operators whose later versions only widen, as a check that this is so. */
const widening: Readonly<Record<string, Case>> = {
  ...Object.fromEntries(
    [
      "Relu",
      "Abs",
      "Neg",
      "Exp",
      "Sigmoid",
      "Tanh",
      "Floor",
      "Ceil",
      "Identity",
      "Shape",
      "Size",
      "Flatten",
      "Softplus",
      "Elu",
      "Selu",
      "LeakyRelu",
      "HardSigmoid",
      "Reciprocal",
      "Transpose",
      "ArgMax",
      "ArgMin",
    ].map((type) => [`${type} 7`, { opset: 7, inputs: x(2, 3), build: node(type), became: [] }]),
  ),
  ...Object.fromEntries(
    [
      "Add",
      "Sub",
      "Mul",
      "Div",
      "Max",
      "Min",
      "Sum",
      "Mean",
      "Greater",
      "Less",
      "MatMul",
      "PRelu",
    ].map((type) => [
      `${type} 7`,
      {
        opset: 8,
        inputs: { x: [3, 3], b: [3, 3] },
        build: node(type, {}, { inputs: () => ["b"] }),
        became: [],
      },
    ]),
  ),
  "Gemm 7": {
    opset: 7,
    inputs: x(2, 3),
    build: node(
      "Gemm",
      { alpha: 0.5, beta: 2, transB: 1 },
      {
        inputs: (g) => [
          g.constant("float32", { dims: [2, 3], values: [1, 2, 3, 4, 5, 6] }),
          ...floats(1, 2)(g),
        ],
      },
    ),
    became: [],
  },
  "AveragePool 7 with padding": {
    opset: 7,
    inputs: x(1, 2, 7, 7),
    build: node("AveragePool", {
      kernel_shape: [3, 3],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      count_include_pad: 1,
    }),
    became: [],
    tolerance: 1e-6,
  },
  "AveragePool 10 rounded up": {
    opset: 10,
    inputs: x(1, 2, 8, 8),
    build: node("AveragePool", { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }),
    became: [],
    tolerance: 1e-6,
  },
  "MaxPool 1": {
    opset: 7,
    inputs: x(1, 2, 7, 7),
    build: node("MaxPool", { kernel_shape: [2, 2], strides: [2, 2] }),
    became: [],
  },
  "MaxPool 10 with indices": {
    opset: 10,
    inputs: x(1, 2, 8, 8),
    build: node("MaxPool", { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }, { outputs: 2 }),
    became: [],
  },
  "LpPool 2": {
    opset: 10,
    inputs: x(1, 2, 6, 6),
    build: node("LpPool", { kernel_shape: [2, 2], p: 2 }),
    became: [],
  },
  "Conv 1": {
    opset: 7,
    inputs: { x: [1, 2, 5, 5], w: [3, 2, 3, 3] },
    build: node("Conv", { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }, { inputs: () => ["w"] }),
    became: [],
  },
  "ConvTranspose 1": {
    opset: 7,
    inputs: { x: [1, 2, 5, 5], w: [2, 3, 3, 3] },
    build: node("ConvTranspose", { strides: [2, 2] }, { inputs: () => ["w"] }),
    became: [],
  },
  "Cast 6": { opset: 7, inputs: x(4), build: node("Cast", { to: 7 }), became: [] },
  "Reshape 5 with a zero": {
    opset: 7,
    inputs: x(2, 6),
    build: node("Reshape", {}, { inputs: ints([0, 2, -1]) }),
    became: [],
  },
  "Gather 1": {
    opset: 7,
    inputs: x(4, 3),
    build: node("Gather", { axis: 1 }, { inputs: ints([2, 0]) }),
    became: [],
  },
  "OneHot 9": {
    opset: 9,
    inputs: x(1),
    build: (g) => {
      const [i = "", depth = "", values = ""] = ints([1, -1, 7], [3], [0, 1])(g);
      g.output(g.op("OneHot", [i, depth, values]), { name: "y" });
      g.output("x", { name: "copy" });
    },
    became: [],
  },
  "Concat 4": {
    opset: 7,
    inputs: x(2, 3),
    build: node("Concat", { axis: 1 }, { inputs: () => ["x"] }),
    became: [],
  },
  "Tile 6": {
    opset: 7,
    inputs: x(2, 3),
    build: node("Tile", {}, { inputs: ints([2, 1]) }),
    became: [],
  },
  "DepthToSpace 1": {
    opset: 7,
    inputs: x(1, 8, 2, 2),
    build: node("DepthToSpace", { blocksize: 2 }),
    became: [],
  },
  "LRN 1": { opset: 7, inputs: x(1, 5, 2, 2), build: node("LRN", { size: 3 }), became: [] },
  "QuantizeLinear 10": {
    opset: 10,
    inputs: x(2, 3),
    build: (g) => {
      const scale = g.constant("float32", { dims: [], values: [0.02] });
      const zero = g.constant("uint8", { dims: [], values: [120] });
      const q = g.op("QuantizeLinear", ["x", scale, zero]);
      g.output(q, { name: "q" });
      g.output(g.op("DequantizeLinear", [q, scale, zero]), { name: "y" });
    },
    became: [],
  },
  "DequantizeLinear 13 per axis": {
    opset: 13,
    inputs: x(3, 2),
    build: (g) => {
      const scale = g.constant("float32", { dims: [3], values: [0.02, 0.5, 1] });
      const q = g.op(
        "QuantizeLinear",
        ["x", scale, g.constant("int8", { dims: [3], values: [0, 0, 0] })],
        { axis: 0 },
      );
      g.output(g.op("DequantizeLinear", [q, scale], { axis: 0 }), { name: "y" });
    },
    became: [],
  },
  ...Object.fromEntries(
    (
      [
        ["RNN", 1],
        ["GRU", 3],
        ["LSTM", 4],
      ] as const
    ).map(([type, gates]) => [
      `${type} 7`,
      {
        opset: 7,
        inputs: { x: [4, 2, 3], w: [1, gates * 5, 3], r: [1, gates * 5, 5] },
        build: node(type, { hidden_size: 5 }, { outputs: 2, inputs: () => ["w", "r"] }),
        became: [],
      },
    ]),
  ),
};

describe("versions that only widen compute the same as well", () => {
  test.each(Object.entries(widening))("%s", async (_, of) => {
    const model = modelOf(of);
    const upgrade = upgradeModel(model, { operators });
    if (upgrade.status === "refused") throw new Error(JSON.stringify(upgrade.refusals));
    expect(upgrade.changes).toEqual([]);
    await expectSame(model, upgrade.model, of);
  });
});

function modelOf({ opset, inputs, build }: Case): Model {
  const g = modelBuilder({ operators, opsets: { "": opset } });
  for (const [name, dims] of Object.entries(inputs)) g.input(name, "float32" as DataType, dims);
  build(g);
  return g.finish();
}

/** The largest difference of two results; NaN equals NaN. */
function farthest(now: OrtTensor["data"] | undefined, before: OrtTensor["data"]): number {
  if (now?.length !== before.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let index = 0; index < before.length; index++) {
    const [a, b] = [now[index], before[index]];
    if (!Object.is(a, b)) most = Math.max(most, Math.abs(Number(a) - Number(b)));
  }
  return most;
}

async function expectSame(
  before: Model,
  after: Model,
  { inputs, fixed, tolerance = 0 }: Case,
): Promise<void> {
  for (const seed of [1, 2, 3]) {
    const random = Object.entries(inputs).map(([name, dims], index): [string, OrtTensor] => [
      name,
      randomFloats(dims, seed * 100 + index),
    ]);
    const values = { ...Object.fromEntries(random), ...fixed };
    const [old, now] = [await runModel(before, values), await runModel(after, values)];
    expect(Object.keys(now)).toEqual(Object.keys(old));
    for (const [name, { dims, type, data }] of Object.entries(old)) {
      expect({ dims: now[name]?.dims, type: now[name]?.type }).toEqual({ dims, type });
      expect(farthest(now[name]?.data, data), name).toBeLessThanOrEqual(tolerance);
    }
  }
}
