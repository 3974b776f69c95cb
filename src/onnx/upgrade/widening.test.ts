import { describe, expect, test } from "vitest";
import { operators } from "../../../test/operators.ts";
import {
  expectSame,
  floats,
  ints,
  modelOf,
  node,
  type UpgradeCase,
  x,
} from "../../../test/upgrade-case.ts";
import { upgradeModel } from "./upgrade-model.ts";

/** Operators whose later versions only widen, as a check that this is so. */
const widening: Readonly<Record<string, UpgradeCase>> = {
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
