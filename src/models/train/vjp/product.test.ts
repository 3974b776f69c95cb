import { describe, expect, test } from "vitest";
import { checkGradients, type GradientCase } from "../../../../test/gradient-check.ts";
import { createRandom } from "../../../core/index.ts";
import type { LoweringOptions } from "./lowering.ts";

describe("MatMul of every rank, batches broadcast", () => {
  test.each([
    [
      [2, 3],
      [3, 4],
    ],
    [
      [2, 2, 3],
      [3, 4],
    ],
    [[3], [3, 2]],
    [[2, 3], [3]],
    [[3], [3]],
    [
      [2, 1, 2, 3],
      [4, 3, 2],
    ],
    [
      [2, 3],
      [4, 3, 2],
    ],
  ])("%j by %j", (a, b) =>
    checkGradients({
      inputs: { a: { dims: a }, b: { dims: b } },
      build: (g) => g.op("MatMul", ["a", "b"]),
    }),
  );
});

const flags = [0, 1].flatMap((transA) => [0, 1].map((transB) => ({ transA, transB })));
const turned = (rows: number, columns: number, swap: number): readonly number[] =>
  swap ? [columns, rows] : [rows, columns];

describe("Gemm and FusedMatMul, transposed and scaled", () => {
  test.each(flags)("transA $transA, transB $transB", async ({ transA, transB }) => {
    await checkGradients({
      inputs: {
        a: { dims: turned(2, 3, transA) },
        b: { dims: turned(3, 4, transB) },
        c: { dims: [4] },
      },
      build: (g) => g.op("Gemm", ["a", "b", "c"], { transA, transB, alpha: 0.5, beta: 2 }),
    });
    await checkGradients({
      inputs: {
        a: { dims: [2, ...turned(2, 3, transA)] },
        b: { dims: [2, ...turned(3, 4, transB)] },
      },
      build: (g) =>
        g.op({ type: "FusedMatMul", domain: "com.microsoft" }, ["a", "b"], {
          transA,
          transB,
          alpha: 0.5,
        }),
    });
  });

  test("products for WebGPU use no operator of ONNX Runtime's own", () =>
    checkGradients({
      inputs: { a: { dims: [2, 2, 3] }, b: { dims: [2, 3, 2] } },
      build: (g) => g.op("MatMul", ["a", "b"]),
      lowerings: { target: "webgpu" },
    }));
});

/** Attributes and sizes of a convolution. */
interface Conv {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
}

const convolutions: Readonly<Record<string, Conv>> = {
  "3x3, padded": { x: [2, 3, 5, 4], w: [4, 3, 3, 3], attributes: { pads: [1, 1, 1, 1] } },
  "1x1": { x: [2, 3, 3, 2], w: [4, 3, 1, 1], attributes: {} },
  "1x1, strided": { x: [2, 3, 4, 5], w: [2, 3, 1, 1], attributes: { strides: [2, 2] } },
  "strided, a tail unread": {
    x: [2, 2, 7, 8],
    w: [3, 2, 3, 2],
    attributes: { strides: [3, 3], pads: [1, 0, 0, 0] },
  },
  "dilated, lopsided": {
    x: [1, 2, 8, 7],
    w: [2, 2, 3, 2],
    attributes: { dilations: [2, 3], pads: [2, 1, 0, 2] },
  },
  "two groups, strided": {
    x: [2, 4, 5, 5],
    w: [6, 2, 3, 3],
    attributes: { group: 2, strides: [2, 1], pads: [1, 1, 1, 1] },
  },
  depthwise: { x: [2, 3, 5, 4], w: [3, 1, 3, 3], attributes: { group: 3, pads: [1, 1, 1, 1] } },
  "depthwise, strided, 5x3": {
    x: [2, 3, 7, 6],
    w: [3, 1, 5, 3],
    attributes: { group: 3, strides: [2, 2], pads: [2, 1, 2, 1] },
  },
  "depthwise, two outputs a channel": {
    x: [1, 2, 4, 4],
    w: [4, 1, 2, 2],
    attributes: { group: 2 },
  },
  "one axis": {
    x: [2, 3, 9],
    w: [2, 3, 4],
    attributes: { strides: [2], dilations: [2], pads: [3, 1] },
  },
  "one axis, depthwise": { x: [2, 3, 6], w: [3, 1, 3], attributes: { group: 3, pads: [1, 1] } },
  "three axes": {
    x: [1, 2, 3, 4, 3],
    w: [2, 2, 2, 2, 2],
    attributes: { pads: [1, 0, 0, 0, 1, 0] },
  },
  "padding of its own, SAME_UPPER": {
    x: [1, 2, 5, 4],
    w: [2, 2, 2, 3],
    attributes: { auto_pad: "SAME_UPPER", strides: [2, 2] },
  },
  "padding of its own, SAME_LOWER": {
    x: [1, 2, 5, 4],
    w: [2, 2, 2, 4],
    attributes: { auto_pad: "SAME_LOWER" },
  },
};

const caseOf = (type: string, { x, w, attributes }: Conv): GradientCase => ({
  inputs: {
    x: { dims: x },
    w: { dims: w },
    b: { dims: [type === "Conv" ? (w[0] ?? 1) : (w[1] ?? 1) * Number(attributes["group"] ?? 1)] },
  },
  build: (g) => g.op(type, ["x", "w", "b"], attributes),
  // The operator is linear in each operand: a wide step costs nothing and drowns rounding.
  step: 0.25,
});

/** Ways of writing that are asked for where they apply. */
const ways: Readonly<Record<string, readonly string[]>> = {
  "conv-input-gradient": ["flipped-conv", "conv-transpose"],
  "conv-weight-gradient": ["one-hot-columns", "swapped-axes", "per-sample", "diagonal"],
};

/** Every way of each family at least once. */
const choices: readonly LoweringOptions[] = [0, 1, 2, 3].map((at) => ({
  fastest: ({ family }) => ways[family]?.[at % (ways[family]?.length ?? 1)] ?? null,
}));

describe("Conv, in every way to write its gradients", () => {
  test.each(Object.entries(convolutions))("%s", async (_, conv) => {
    for (const lowerings of choices) await checkGradients({ ...caseOf("Conv", conv), lowerings });
  });

  test("of random sizes and attributes", async () => {
    const random = createRandom(11);
    const pick = (from: number, to: number): number => from + random.integer(to - from + 1);
    for (let seed = 0; seed < 12; seed++) {
      const group = pick(1, 3);
      const perGroup = pick(1, 2);
      const kernel = [pick(1, 3), pick(1, 3)];
      const dilations = [pick(1, 2), pick(1, 2)];
      const pads = [pick(0, 2), pick(0, 2), pick(0, 2), pick(0, 2)];
      const size = [0, 1].map(
        (axis) => (dilations[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + pick(1, 4),
      );
      const conv: Conv = {
        x: [pick(1, 2), group * perGroup, ...size],
        w: [group * pick(1, 2), perGroup, ...kernel],
        attributes: { group, dilations, pads, strides: [pick(1, 3), pick(1, 3)] },
      };
      const lowerings = choices[seed % choices.length] ?? {};
      await checkGradients({ ...caseOf("Conv", conv), lowerings, seed });
    }
  });
});

describe("ConvTranspose", () => {
  const transposes: Readonly<Record<string, Conv>> = {
    plain: { x: [2, 3, 3, 4], w: [3, 2, 3, 3], attributes: { pads: [1, 1, 1, 1] } },
    "strided, with output padding": {
      x: [1, 2, 3, 3],
      w: [2, 3, 3, 3],
      attributes: { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
    },
    "in groups, dilated": {
      x: [2, 4, 3, 3],
      w: [4, 2, 2, 2],
      attributes: { group: 2, dilations: [2, 1], strides: [1, 2] },
    },
    SAME_UPPER: {
      x: [1, 2, 3, 3],
      w: [2, 2, 3, 4],
      attributes: { auto_pad: "SAME_UPPER", strides: [2, 1] },
    },
    "of a stated shape": {
      x: [1, 2, 3, 3],
      w: [2, 2, 3, 3],
      attributes: { output_shape: [6, 4], strides: [2, 1] },
    },
    "along one axis": { x: [2, 2, 4], w: [2, 3, 3], attributes: { strides: [2] } },
  };
  test.each(Object.entries(transposes))("%s", (_, conv) =>
    checkGradients(caseOf("ConvTranspose", conv)),
  );
});

/** A pool over values that lie further apart than a step. */
const pool = (
  type: string,
  dims: readonly number[],
  attributes: Readonly<Record<string, number | string | readonly number[]>>,
  lowerings: LoweringOptions = {},
): GradientCase => ({
  inputs: { x: { dims, values: "apart" } },
  build: (g) => g.op(type, ["x"], attributes),
  lowerings,
});

describe("pools", () => {
  const windows = {
    "side by side": { kernel_shape: [2, 2], strides: [2, 2] },
    "overlapping, padded": { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 1, 1] },
    "rounded up": { kernel_shape: [2, 3], strides: [2, 3], ceil_mode: 1 },
    "apart from one another": { kernel_shape: [2, 1], strides: [3, 2] },
    dilated: { kernel_shape: [2, 2], dilations: [2, 3] },
    "padding of its own": { kernel_shape: [3, 3], strides: [2, 2], auto_pad: "SAME_UPPER" },
  };
  test.each(Object.entries(windows))("MaxPool, %s", async (_, attributes) => {
    await checkGradients(pool("MaxPool", [2, 2, 7, 5], attributes));
    await checkGradients(pool("MaxPool", [1, 2, 7, 5], attributes, { target: "webgpu" }));
  });
  test.each(Object.entries(windows))("AveragePool, %s", async (_, attributes) => {
    await checkGradients(pool("AveragePool", [2, 2, 7, 5], attributes));
    const counted = { ...attributes, count_include_pad: 1 };
    await checkGradients(pool("AveragePool", [2, 2, 7, 5], counted));
  });
  test.each(["MaxPool", "AveragePool"])("%s along one axis", (type) =>
    checkGradients(pool(type, [2, 3, 8], { kernel_shape: [3], strides: [2], pads: [1, 1] })),
  );
  test.each(["GlobalMaxPool", "GlobalAveragePool"])("%s", (type) =>
    checkGradients(pool(type, [2, 3, 3, 2], {})),
  );
});

describe("what cannot be differentiated is named", () => {
  test("an operator without a rule", async () => {
    const topK: GradientCase = {
      inputs: { x: { dims: [4] } },
      build: (g) => {
        const k = g.constant("int64", { dims: [1], values: [2] });
        return g.ops({ type: "TopK", name: "best" }, ["x", k], { outputs: 2 })[0] ?? "";
      },
    };
    await expect(checkGradients(topK)).rejects.toThrow(/node "best" \(TopK\).*no gradient rule/);
  });
});
