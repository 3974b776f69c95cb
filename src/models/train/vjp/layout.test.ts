import { describe, expect, test } from "vitest";
import { checkGradients, type GradientCase } from "../../../../test/gradient-check.ts";
import type { GraphBuilder } from "../../../onnx/index.ts";

const ints = (g: GraphBuilder, values: readonly number[]): string =>
  g.constant("int64", { dims: [values.length], values });

const x = { dims: [2, 3, 4] };

const cases: Readonly<Record<string, GradientCase>> = {
  "Reshape, Flatten, Squeeze, Unsqueeze": {
    inputs: { x: { dims: [2, 1, 6] } },
    build: (g) => {
      const flat = g.op("Flatten", [g.op("Reshape", ["x", ints(g, [0, 3, -1])])], { axis: 2 });
      const wide = g.op("Unsqueeze", [flat, ints(g, [0, 3])]);
      return g.op("Squeeze", [wide, ints(g, [0])]);
    },
  },
  Transpose: { inputs: { x }, build: (g) => g.op("Transpose", ["x"], { perm: [2, 0, 1] }) },
  "Transpose, all axes turned": { inputs: { x }, build: (g) => g.op("Transpose", ["x"]) },
  "Concat of one value twice and another": {
    inputs: { x: { dims: [2, 2] }, y: { dims: [2, 3] } },
    build: (g) => g.op("Concat", ["x", "y", "x"], { axis: -1 }),
  },
  "Split, of which one part is used": {
    inputs: { x: { dims: [2, 5] } },
    build: (g) => {
      const parts = g.ops("Split", ["x", ints(g, [2, 1, 2])], {
        outputs: 3,
        attributes: { axis: 1 },
      });
      return [parts[0] ?? "", g.op("Exp", [parts[2] ?? ""])];
    },
  },
  "Slice, steps forward and back, bounds beyond the ends": {
    inputs: { x: { dims: [7, 6, 3] } },
    build: (g) =>
      g.op("Slice", [
        "x",
        ints(g, [-1, 1, -100]),
        ints(g, [-100, 100, 2]),
        ints(g, [0, 1, -1]),
        ints(g, [-3, 2, 1]),
      ]),
  },
  "Slice without axes": {
    inputs: { x },
    build: (g) => g.op("Slice", ["x", ints(g, [0, 1]), ints(g, [1, -1])]),
  },
  "Pad with a constant, and off an end": {
    inputs: { x },
    build: (g) => g.op("Pad", ["x", ints(g, [0, 1, -1, 2, 0, 1])]),
  },
  "Pad along named axes": {
    inputs: { x },
    build: (g) => g.op("Pad", ["x", ints(g, [1, 0, 2, 1]), "", ints(g, [2, 0])]),
  },
  ...Object.fromEntries(
    ["reflect", "edge", "wrap"].map((mode): [string, GradientCase] => [
      `Pad, ${mode}`,
      {
        inputs: { x },
        build: (g) => g.op("Pad", ["x", ints(g, [0, 2, 3, 1, 1, 0])], { mode }),
      },
    ]),
  ),
  Expand: {
    inputs: { x: { dims: [3, 1] } },
    build: (g) => g.op("Expand", ["x", ints(g, [2, 1, 4])]),
  },
  Tile: { inputs: { x: { dims: [2, 3] } }, build: (g) => g.op("Tile", ["x", ints(g, [2, 3])]) },
  "Gather, repeated and negative indices": {
    inputs: { x: { dims: [2, 4, 3] } },
    build: (g) => {
      const indices = g.constant("int64", { dims: [2, 3], values: [0, -1, 2, 2, 2, 1] });
      return g.op("Gather", ["x", indices], { axis: 1 });
    },
  },
  "Gather by one int32 index": {
    inputs: { x: { dims: [4, 3] } },
    build: (g) => g.op("Gather", ["x", g.constant("int32", { dims: [], values: [2] })]),
  },
  GatherElements: {
    inputs: { x: { dims: [3, 3] } },
    build: (g) => {
      const indices = g.constant("int64", { dims: [2, 3], values: [0, 0, 2, 0, 1, 2] });
      return g.op("GatherElements", ["x", indices], { axis: 0 });
    },
  },
  GatherND: {
    inputs: { x: { dims: [3, 3, 2] } },
    build: (g) => {
      const indices = g.constant("int64", { dims: [3, 2], values: [0, 1, 2, 2, 0, 1] });
      return g.op("GatherND", ["x", indices]);
    },
  },
  "ScatterElements and ScatterND, into and by": {
    inputs: { x: { dims: [3, 3] }, u: { dims: [1, 3] } },
    build: (g) => {
      const places = g.constant("int64", { dims: [1, 3], values: [2, 0, 1] });
      const rows = g.constant("int64", { dims: [1, 1], values: [1] });
      const elements = g.op("ScatterElements", ["x", places, "u"], { axis: 0 });
      return [
        g.op("ScatterND", [elements, rows, "u"], { reduction: "add" }),
        g.op("ScatterND", [elements, rows, "u"]),
      ];
    },
  },
  "DepthToSpace, both modes": {
    inputs: { x: { dims: [1, 8, 2, 3] } },
    build: (g) => ["DCR", "CRD"].map((mode) => g.op("DepthToSpace", ["x"], { blocksize: 2, mode })),
  },
  SpaceToDepth: {
    inputs: { x: { dims: [2, 2, 4, 6] } },
    build: (g) => g.op("SpaceToDepth", ["x"], { blocksize: 2 }),
  },
  "Trilu and CumSum": {
    inputs: { x: { dims: [3, 4] } },
    build: (g) => {
      const axis = g.constant("int64", { dims: [], values: [1] });
      const diagonal = g.constant("int64", { dims: [], values: [-1] });
      return [
        g.op("Trilu", ["x", diagonal], { upper: 0 }),
        g.op("CumSum", ["x", axis], { exclusive: 1 }),
      ];
    },
  },
};

describe("what is moved moves back", () => {
  test.each(Object.entries(cases))("%s", (_, of) => checkGradients(of));
});

describe("Resize is a linear map along each axis", () => {
  const resize = (
    attributes: Readonly<Record<string, string | number>>,
    target: { readonly scales?: readonly number[]; readonly sizes?: readonly number[] },
  ): GradientCase => ({
    inputs: { x: { dims: [1, 2, 3, 4] } },
    build(g) {
      const scales = target.scales
        ? g.constant("float32", { dims: [4], values: target.scales })
        : "";
      const sizes = target.sizes ? ints(g, target.sizes) : "";
      return g.op(
        "Resize",
        sizes === "" ? ["x", "", scales] : ["x", "", scales, sizes],
        attributes,
      );
    },
  });
  const modes = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"];
  test.each(
    modes.flatMap((coordinate_transformation_mode) => [
      { mode: "nearest", coordinate_transformation_mode },
      { mode: "linear", coordinate_transformation_mode },
    ]),
  )("$mode, $coordinate_transformation_mode", async (attributes) => {
    await checkGradients(resize(attributes, { scales: [1, 1, 2, 2] }));
    await checkGradients(resize(attributes, { scales: [1, 1, 1.6, 0.5] }));
    await checkGradients(resize(attributes, { sizes: [1, 2, 5, 7] }));
  });

  test.each(["floor", "ceil", "round_prefer_ceil"])("nearest by %s", (nearest_mode) =>
    checkGradients(resize({ mode: "nearest", nearest_mode }, { sizes: [1, 2, 7, 3] })),
  );

  test("cubic, with what lies outside and without", async () => {
    for (const exclude_outside of [0, 1]) {
      const attributes = { mode: "cubic", cubic_coeff_a: -0.5, exclude_outside };
      await checkGradients(resize(attributes, { sizes: [1, 2, 6, 9] }));
    }
  });

  test("smoothing has no rule, and the error says so", async () => {
    const smooth = resize({ mode: "linear", antialias: 1 }, { sizes: [1, 2, 2, 2] });
    await expect(checkGradients(smooth)).rejects.toThrow(/it smooths/);
  });
});

describe("Einsum", () => {
  test.each([
    ["ij,jk->ik", [2, 3], [3, 4]],
    ["bhid,bhjd->bhij", [2, 2, 3, 4], [2, 2, 2, 4]],
    ["...ij,jk->...ik", [2, 3, 4], [4, 2]],
    ["ij,ij", [2, 3], [2, 3]],
    ["ij,k->i", [2, 3], [4]],
    ["ij,i->", [2, 3], [2]],
  ] as const)("%s", (equation, a, b) =>
    checkGradients({
      inputs: { a: { dims: a }, b: { dims: b } },
      build: (g) => g.op("Einsum", ["a", "b"], { equation }),
    }),
  );

  test("of three operands, and of one", () =>
    checkGradients({
      inputs: { a: { dims: [2, 3] }, b: { dims: [3] }, c: { dims: [3, 2] } },
      build: (g) => [
        g.op("Einsum", ["a", "b", "c"], { equation: "ij,j,jk->ki" }),
        g.op("Einsum", ["a"], { equation: "ij->j" }),
      ],
    }));
});
