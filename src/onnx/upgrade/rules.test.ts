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
import type { AttributeValues } from "../attribute-from.ts";
import { checkModel } from "../check/check-model.ts";
import type { GraphBuilder } from "../graph-builder.ts";
import { upgradeModel } from "./upgrade-model.ts";

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

const cases: Readonly<Record<string, UpgradeCase>> = {
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
      [
        `${type} 11 over rows of nothing`,
        {
          opset: 11,
          inputs: x(3, 2, 0),
          build: node(type, { axis: 1 }),
          became: ["Shape", "Flatten", type, "Reshape"],
        },
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
