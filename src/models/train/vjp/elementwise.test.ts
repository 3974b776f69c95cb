import { describe, expect, test } from "vitest";
import { checkGradients, type GradientCase } from "../../../../test/gradient-check.ts";

/** Operators of one operand: name, values to try, attributes. */
type Unary = readonly [
  name: string,
  values?: "normal" | "positive" | "apart",
  attributes?: Readonly<Record<string, number | string>>,
];

const unary: readonly Unary[] = [
  ["Neg"],
  ["Exp"],
  ["Log", "positive"],
  ["Sqrt", "positive"],
  ["Reciprocal", "positive"],
  ["Abs", "apart"],
  ["Erf"],
  ["Sin"],
  ["Cos"],
  ["Identity"],
  ["Relu", "apart"],
  ["LeakyRelu", "apart", { alpha: 0.3 }],
  ["Elu", "apart", { alpha: 0.7 }],
  ["Selu", "apart"],
  ["Sigmoid"],
  ["Tanh"],
  ["Gelu"],
  ["Gelu", "normal", { approximate: "tanh" }],
  ["Softplus"],
  ["Softsign", "apart"],
  ["HardSwish", "apart"],
  ["HardSigmoid", "apart", { alpha: 0.3, beta: 0.45 }],
  ["Mish"],
  ["com.microsoft::Gelu"],
  ["com.microsoft::QuickGelu", "normal", { alpha: 1.3 }],
];

describe("the gradient of a function is its slope", () => {
  test.each(unary.map((of) => ({ key: of[0], of })))("$key", ({ key, of }) => {
    const [, values = "normal", attributes = {}] = of;
    const [domain = "", type = key] = key.includes("::") ? key.split("::") : ["", key];
    return checkGradients({
      inputs: { x: { dims: [3, 4], values } },
      build: (g) => g.op({ type, domain }, ["x"], attributes),
      step: 0.02,
    });
  });
});

const several: Readonly<Record<string, GradientCase>> = {
  "Add, both operands broadcast": {
    inputs: { a: { dims: [2, 1, 4] }, b: { dims: [3, 1] } },
    build: (g) => g.op("Add", ["a", "b"]),
  },
  "Sub, a scalar": {
    inputs: { a: { dims: [] }, b: { dims: [2, 3] } },
    build: (g) => g.op("Sub", ["a", "b"]),
  },
  "Mul with itself": { inputs: { a: { dims: [5] } }, build: (g) => g.op("Mul", ["a", "a"]) },
  "Mul, broadcast": {
    inputs: { a: { dims: [2, 3] }, b: { dims: [3] } },
    build: (g) => g.op("Mul", ["a", "b"]),
  },
  Div: {
    inputs: { a: { dims: [2, 3] }, b: { dims: [2, 1], values: "positive" } },
    build: (g) => g.op("Div", ["a", "b"]),
  },
  "Pow, both operands": {
    inputs: { a: { dims: [2, 3], values: "positive" }, b: { dims: [3] } },
    build: (g) => g.op("Pow", ["a", "b"]),
  },
  "Pow, a square of numbers below 0": {
    inputs: { a: { dims: [6] } },
    build: (g, type) => g.op("Pow", ["a", g.constant(type, { dims: [], values: [2] })]),
  },
  "Sum and Mean of three": {
    inputs: { a: { dims: [2, 3] }, b: { dims: [3] }, c: { dims: [2, 1] } },
    build: (g) => g.op("Mul", [g.op("Sum", ["a", "b", "c"]), g.op("Mean", ["c", "a", "b"])]),
  },
  "Max and Min of three": {
    inputs: {
      a: { dims: [6], values: [0.1, 1, 2, -3, 4, 0] },
      b: { dims: [6], values: [0.5, -1, 3, 3, -4, 1] },
      c: { dims: [1], values: [0.3] },
    },
    build: (g) => g.op("Add", [g.op("Max", ["a", "b", "c"]), g.op("Min", ["c", "b", "a"])]),
  },
  Where: {
    inputs: { a: { dims: [2, 3] }, b: { dims: [3] } },
    build: (g) => {
      const pick = g.constant("bool", { dims: [2, 1], values: [1, 0] });
      return g.op("Where", [pick, "a", "b"]);
    },
  },
  "PRelu, one slope a channel": {
    inputs: { x: { dims: [2, 3, 2], values: "apart" }, slope: { dims: [3, 1] } },
    build: (g) => g.op("PRelu", ["x", "slope"]),
  },
  "Clip, its bounds too": {
    inputs: {
      x: { dims: [9], values: "apart" },
      low: { dims: [], values: [-0.4] },
      high: { dims: [], values: [0.6] },
    },
    build: (g) => g.op("Clip", ["x", "low", "high"]),
  },
  "Cast there and back": {
    inputs: { x: { dims: [4] } },
    build: (g, type) => {
      const wide = g.op("Mul", [
        g.op("Cast", ["x"], { to: 11 }),
        g.constant("float64", { dims: [], values: [3] }),
      ]);
      return g.op("Cast", [wide], { to: type === "float32" ? 1 : 11 });
    },
  },
  "FastGelu with a bias": {
    inputs: { x: { dims: [2, 4] }, bias: { dims: [4] } },
    build: (g) => g.op({ type: "FastGelu", domain: "com.microsoft" }, ["x", "bias"]),
    step: 0.02,
  },
};

describe("operands that broadcast get their gradients summed", () => {
  test.each(Object.entries(several))("%s", (_, of) => checkGradients(of));
});

const axes = (g: Parameters<GradientCase["build"]>[0], values: readonly number[]): string =>
  g.constant("int64", { dims: [values.length], values });

describe("reductions spread their gradient out", () => {
  test.each([
    ["ReduceSum", "normal"],
    ["ReduceMean", "normal"],
    ["ReduceMax", "apart"],
    ["ReduceMin", "apart"],
    ["ReduceL1", "apart"],
    ["ReduceL2", "normal"],
    ["ReduceSumSquare", "normal"],
    ["ReduceLogSum", "positive"],
    ["ReduceLogSumExp", "normal"],
    ["ReduceProd", "positive"],
  ] as const)("%s", async (type, values) => {
    const x = { dims: [2, 3, 4], values };
    const some: GradientCase = {
      inputs: { x },
      build: (g) => g.op(type, ["x", axes(g, [-1, 0])], { keepdims: 0 }),
      step: 0.02,
    };
    await checkGradients(some);
    await checkGradients({ ...some, build: (g) => g.op(type, ["x", axes(g, [1])]) });
    await checkGradients({ ...some, build: (g) => g.op(type, ["x"], { keepdims: 0 }) });
  });

  test("elements that tie for the maximum share its gradient", async () => {
    // The slope along the diagonal, where both elements move, is that of the maximum.
    await expect(
      checkGradients({
        inputs: { x: { dims: [1], values: [1] } },
        build: (g) => g.op("ReduceMax", [g.op("Concat", ["x", "x"], { axis: 0 })], { keepdims: 0 }),
      }),
    ).resolves.toBeUndefined();
  });
});

describe("softmax and the losses that end in it", () => {
  test.each([
    ["Softmax", -1],
    ["Softmax", 1],
    ["LogSoftmax", -1],
    ["LogSoftmax", 0],
  ] as const)("%s along axis %i", (type, axis) =>
    checkGradients({
      inputs: { x: { dims: [2, 3, 4] } },
      build: (g) => g.op(type, ["x"], { axis }),
      step: 0.02,
    }),
  );

  const labels = (dims: readonly number[], values: readonly number[]) => ({
    labels: { dataType: "int64", dims, data: BigInt64Array.from(values, BigInt) } as const,
  });
  test.each(["mean", "sum", "none"])("cross-entropy, %s", (reduction) =>
    checkGradients({
      inputs: { x: { dims: [3, 4] } },
      constants: labels([3], [2, 0, 3]),
      build: (g) => g.op("SoftmaxCrossEntropyLoss", ["x", "labels"], { reduction }),
      step: 0.02,
    }),
  );

  test("the loss and its log-probabilities can both be read on, as second derivatives do", () =>
    checkGradients({
      inputs: { x: { dims: [4, 5] } },
      constants: {
        labels: { dataType: "int64", dims: [4], data: BigInt64Array.of(1n, 0n, 4n, 2n) },
      },
      build: (g) => g.ops("SoftmaxCrossEntropyLoss", ["x", "labels"], { outputs: 2 }),
    }));

  test.each(["SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"])(
    "%s with class weights, an ignored label and positions",
    async (type) => {
      for (const reduction of ["mean", "none"]) {
        await checkGradients({
          inputs: { x: { dims: [2, 3, 2] } },
          constants: labels([2, 2], [2, 1, -100, 0]),
          build: (g, dataType) => {
            const weights = g.constant(dataType, { dims: [3], values: [0.5, 2, 1] });
            return g.op(type, ["x", "labels", weights], { reduction, ignore_index: -100 });
          },
          step: 0.02,
        });
      }
    },
  );
});
