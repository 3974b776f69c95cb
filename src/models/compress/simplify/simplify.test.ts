import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { randomFloats, runModel } from "../../../../test/onnx-runtime.ts";
import { operators } from "../../../../test/operators.ts";
import { nativeRuntime } from "../../../engine/index.ts";
import {
  type GraphBuilder,
  type Model,
  type ModelBuilder,
  modelBuilder,
  type TensorParts,
  tensorOf,
} from "../../../onnx/index.ts";
import type { PassContext } from "../pass.ts";
import { foldConstants } from "./fold-constants.ts";
import { type SimplifyOptions, simplify } from "./simplify.ts";

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };

const build = (make: (of: ModelBuilder) => string): Model => {
  const builder = modelBuilder({ operators });
  builder.output(make(builder), { name: "y" });
  return builder.finish();
};

const simplified = async (model: Model, options?: SimplifyOptions): Promise<Model> =>
  (await simplify.apply(model, context, options)).model;

const opsOf = (model: Model): readonly string[] =>
  model.graph?.nodes.map(({ opType }) => opType) ?? [];

const random = (dims: readonly number[], seed: number): TensorParts => ({
  dims,
  values: randomFloats(dims, seed).data as Float32Array,
});

const floats = (of: GraphBuilder, dims: readonly number[], seed: number): string =>
  of.constant("float32", random(dims, seed));

const scalar = (of: GraphBuilder, value: number): string =>
  of.constant("float32", { dims: [], values: [value] });

/** Largest difference of the outputs on random inputs, over the largest output. */
async function difference(a: Model, b: Model, x: readonly number[]): Promise<number> {
  const feeds = { x: randomFloats(x, 7) };
  const [before, after] = [await runModel(a, feeds), await runModel(b, feeds)];
  const [p, q] = [before["y"]?.data as Float32Array, after["y"]?.data as Float32Array];
  const largest = p.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return (
    p.reduce((worst, value, at) => Math.max(worst, Math.abs(value - (q[at] ?? 0))), 0) / largest
  );
}

describe("simplify folds into weights", () => {
  test.each([
    { name: "a plain convolution", group: 1, w: [6, 4, 3, 3], pads: [0, 0, 0, 0], ops: ["Conv"] },
    { name: "groups", group: 2, w: [6, 2, 3, 3], pads: [0, 0, 0, 0], ops: ["Conv"] },
    // What is added in front of padding cannot go into the bias: the border sees zeros instead.
    { name: "padding", group: 2, w: [6, 2, 3, 3], pads: [1, 1, 1, 1], ops: ["Add", "Conv"] },
  ])("factors and summands around $name", async ({ group, w, pads, ops }) => {
    const model = build((of) => {
      const x = of.input("x", "float32", ["batch", 4, 8, 8]);
      const factor = of.op("Mul", [x, floats(of, [4, 1, 1], 1)]);
      const sum = of.op("Add", [factor, floats(of, [1, 4, 1, 1], 2)]);
      const conv = of.op("Conv", [sum, floats(of, w, 3), floats(of, [6], 4)], { group, pads });
      const scaled = of.op("Div", [conv, scalar(of, 1.7)]);
      const statistics = [5, 6, 7].map((seed) => floats(of, [6], seed));
      const variance = of.constant("float32", { dims: [6], values: [1, 2, 3, 4, 5, 6] });
      return of.op("BatchNormalization", [scaled, ...statistics, variance]);
    });
    const after = await simplified(model);
    expect(opsOf(after)).toEqual(ops);
    expect(await difference(model, after, [2, 4, 8, 8])).toBeLessThan(1e-5);
  });

  test("ConvTranspose with groups, Gemm and MatMul", async () => {
    const model = build((of) => {
      const x = of.input("x", "float32", [2, 4, 5, 5]);
      const up = of.op("ConvTranspose", [x, floats(of, [4, 3, 3, 3], 1)], { group: 2 });
      const scaled = of.op("Mul", [up, floats(of, [6, 1, 1], 2)]);
      const flat = of.op("Flatten", [of.op("GlobalAveragePool", [scaled])]);
      const gemm = of.op("Gemm", [flat, floats(of, [7, 6], 3), floats(of, [7], 4)], { transB: 1 });
      const shifted = of.op("Sub", [gemm, floats(of, [7], 5)]);
      const product = of.op("MatMul", [of.op("Relu", [shifted]), floats(of, [7, 3], 6)]);
      return of.op("Mul", [floats(of, [3], 8), product]);
    });
    const after = await simplified(model);
    expect(opsOf(after)).toEqual([
      ...["ConvTranspose", "GlobalAveragePool", "Flatten", "Gemm", "Relu", "MatMul"],
    ]);
    expect(await difference(model, after, [2, 4, 5, 5])).toBeLessThan(1e-5);
  });

  test("zeros that a Pad adds", async () => {
    const model = build((of) => {
      const x = of.input("x", "float32", [1, 2, 6, 6]);
      const pads = of.constant("int64", { dims: [8], values: [0, 0, 1, 2, 0, 0, 3, 0] });
      return of.op("Conv", [of.op("Pad", [x, pads]), floats(of, [2, 2, 3, 3], 1)]);
    });
    const after = await simplified(model);
    expect(opsOf(after)).toEqual(["Conv"]);
    expect(await difference(model, after, [1, 2, 6, 6])).toBeLessThan(1e-6);
  });

  test("nothing that other nodes read or that shares its weight", async () => {
    const shared = build((of) => {
      const x = of.input("x", "float32", [2, 3]);
      const weight = floats(of, [3, 3], 1);
      const first = of.op("Mul", [of.op("MatMul", [x, weight]), scalar(of, 2)]);
      return of.op("MatMul", [of.op("Relu", [first]), weight]);
    });
    expect(opsOf(await simplified(shared))).toContain("Mul");
    const read = build((of) => {
      const x = of.input("x", "float32", [2, 3]);
      const product = of.op("MatMul", [x, floats(of, [3, 3], 1)]);
      return of.op("Add", [product, of.op("Relu", [of.op("Mul", [product, scalar(of, 2)])])]);
    });
    expect(opsOf(await simplified(read))).toContain("Mul");
  });

  test("no constant that widens the result", async () => {
    const model = build((of) => {
      const x = of.input("x", "float32", [2, 3]);
      return of.op("Mul", [of.op("MatMul", [x, floats(of, [3, 1], 1)]), floats(of, [4], 2)]);
    });
    const after = await simplified(model);
    expect(opsOf(after)).toEqual(["MatMul", "Mul"]);
  });
});

describe("simplify finds formulas again", () => {
  const formulas = {
    HardSwish: (of: GraphBuilder, x: string) => {
      const clip = of.op("Clip", [of.op("Add", [x, scalar(of, 3)]), scalar(of, 0), scalar(of, 6)]);
      return of.op("Div", [of.op("Mul", [x, clip]), scalar(of, 6)]);
    },
    Gelu: (of: GraphBuilder, x: string) => {
      const erf = of.op("Erf", [of.op("Div", [x, scalar(of, Math.SQRT2)])]);
      const gate = of.op("Add", [erf, scalar(of, 1)]);
      return of.op("Mul", [of.op("Mul", [x, gate]), scalar(of, 0.5)]);
    },
    "Gelu by tanh": (of: GraphBuilder, x: string) => {
      const cube = of.op("Mul", [of.op("Pow", [x, scalar(of, 3)]), scalar(of, 0.044715)]);
      const inner = of.op("Mul", [of.op("Add", [x, cube]), scalar(of, Math.sqrt(2 / Math.PI))]);
      const gate = of.op("Add", [of.op("Tanh", [inner]), scalar(of, 1)]);
      return of.op("Mul", [of.op("Mul", [x, scalar(of, 0.5)]), gate]);
    },
    LayerNorm: (of: GraphBuilder, x: string) => {
      const axes = of.constant("int64", { dims: [1], values: [-1] });
      const deviation = of.op("Sub", [x, of.op("ReduceMean", [x, axes])]);
      const square = of.op("Pow", [deviation, scalar(of, 2)]);
      const variance = of.op("Add", [of.op("ReduceMean", [square, axes]), scalar(of, 1e-5)]);
      const normal = of.op("Div", [deviation, of.op("Sqrt", [variance])]);
      return of.op("Add", [of.op("Mul", [normal, floats(of, [6], 1)]), floats(of, [6], 2)]);
    },
  };
  test.each([
    ["HardSwish", ["HardSigmoid", "Mul"]],
    ["Gelu", ["Gelu"]],
    ["Gelu by tanh", ["Gelu"]],
    ["LayerNorm", ["LayerNormalization"]],
  ] as const)("%s", async (name, ops) => {
    const model = build((of) => formulas[name](of, of.input("x", "float32", ["batch", 6])));
    const after = await simplified(model);
    expect(opsOf(after)).toEqual(ops);
    expect(await difference(model, after, [4, 6])).toBeLessThan(1e-6);
  });

  test("but not where a constant differs", async () => {
    const model = build((of) => {
      const x = of.input("x", "float32", ["batch", 6]);
      const erf = of.op("Erf", [of.op("Div", [x, scalar(of, 1.5)])]);
      return of.op("Mul", [of.op("Mul", [x, of.op("Add", [erf, scalar(of, 1)])]), scalar(of, 0.5)]);
    });
    expect(opsOf(await simplified(model))).toContain("Erf");
  });
});

describe("simplify tidies", () => {
  test("what is unchanged, what is said twice, and what nothing reads", async () => {
    const model = build((of) => {
      const x = of.input("x", "float32", ["batch", 4, 6]);
      const turned = of.op("Transpose", [of.op("Identity", [x])], { perm: [0, 2, 1] });
      const back = of.op("Transpose", [turned], { perm: [0, 2, 1] });
      const one = of.op("Mul", [back, scalar(of, 1)]);
      of.op("Exp", [one]);
      return of.op("Add", [of.op("Relu", [one]), of.op("Relu", [of.op("Dropout", [one])])]);
    });
    const after = await simplified(model, { exact: true });
    expect(opsOf(after)).toEqual(["Relu", "Add"]);
    expect(await difference(model, after, [2, 4, 6])).toBe(0);
  });

  test("sizes that are computed from shapes", async () => {
    const model = build((of) => {
      const x = of.input("x", "float32", ["batch", 4, 6]);
      const batch = of.op("Gather", [
        of.op("Shape", [x]),
        of.constant("int64", { dims: [1], values: [0] }),
      ]);
      const shape = of.op("Concat", [batch, of.constant("int64", { dims: [1], values: [24] })], {
        axis: 0,
      });
      const flat = of.op("Reshape", [
        of.op("Unsqueeze", [x, of.constant("int64", { dims: [1], values: [1] })]),
        shape,
      ]);
      return of.op("Relu", [flat]);
    });
    const after = await simplified(model, { exact: true });
    expect(opsOf(after)).toEqual(["Reshape", "Relu"]);
    expect(await difference(model, after, [3, 4, 6])).toBe(0);
  });

  test("branches that are always taken, with their names kept apart", async () => {
    const model = build((of) => {
      const x = of.input("x", "float32", [2]);
      const yes = of.constant("bool", { dims: [], values: [1] });
      const branch = (op: string) =>
        of.subGraph("branch", (body) => {
          body.output(
            body.op({ type: op, name: "inner" }, [body.op({ type: "Neg", name: "n" }, [x])]),
          );
        });
      const attributes = { then_branch: branch("Exp"), else_branch: branch("Abs") };
      return of.op("Add", [of.op("If", [yes], attributes), x]);
    });
    const after = await simplified(model, { exact: true });
    expect(opsOf(after)).toEqual(["Neg", "Exp", "Add"]);
    expect(await difference(model, after, [2])).toBe(0);
  });

  test("branches that an input decides, when its value is fixed", async () => {
    const model = build((of) => {
      const x = of.input("x", "float32", [2]);
      const rate = of.input("rate", "int64", []);
      const isHigh = of.op("Greater", [rate, of.constant("int64", { dims: [], values: [8000] })]);
      const branch = (op: string) => of.subGraph("branch", (body) => body.output(body.op(op, [x])));
      return of.op("If", [isHigh], { then_branch: branch("Exp"), else_branch: branch("Abs") });
    });
    const rate = { dataType: "int64", dims: [], data: BigInt64Array.of(16000n) } as const;
    const after = await simplified(model, { exact: true, inputs: { rate } });
    expect(opsOf(after)).toEqual(["Exp"]);
    expect(after.graph?.inputs.map(({ name }) => name)).toEqual(["x"]);
    await expect(simplified(model, { inputs: { speed: rate } })).rejects.toThrow(/"speed"/);
    const wrong = { ...rate, dataType: "float32", data: Float32Array.of(1) } as const;
    await expect(simplified(model, { inputs: { rate: wrong } })).rejects.toThrow(/takes int64/);
  });

  test("leaves what is random twice", async () => {
    const model = build((of) => {
      const x = of.input("x", "float32", [64]);
      const noise = () => of.op("RandomNormalLike", [x]);
      return of.op("Sub", [of.op("Add", [x, noise()]), noise()]);
    });
    expect(opsOf(await simplified(model)).filter((op) => op === "RandomNormalLike")).toHaveLength(
      2,
    );
  });

  test("keeps the names of outputs, also of one value under two names", async () => {
    const builder = modelBuilder({ operators });
    const x = builder.input("x", "float32", [2]);
    const relu = builder.op("Relu", [builder.op("Identity", [x])]);
    builder.output(relu, { name: "y" });
    builder.output(builder.op("Identity", [relu]), { name: "z" });
    const model = builder.finish();
    const after = await simplified(model);
    expect(after.graph?.outputs.map(({ name }) => name)).toEqual(["y", "z"]);
    const feeds = { x: randomFloats([2], 1) };
    expect(await runModel(after, feeds)).toEqual(await runModel(model, feeds));
  });
});

describe("folding of constants", () => {
  const expanding = build((of) => {
    const x = of.input("x", "float32", [1, 1024]);
    const shape = of.constant("int64", { dims: [2], values: [1024, 1024] });
    return of.op("MatMul", [x, of.op("Expand", [scalar(of, 0.5), shape])]);
  });

  test("is refused where it would blow up the file, with the bytes", async () => {
    const { model, refused } = await foldConstants.apply(expanding, context, undefined);
    expect(opsOf(model)).toContain("Expand");
    expect(refused).toMatchObject([{ reason: expect.stringContaining("4194304 bytes") }]);
  });

  test("is done where that is allowed", async () => {
    const { model } = await foldConstants.apply(expanding, context, { growth: 1 << 23 });
    expect(await difference(expanding, model, [1, 1024])).toBeLessThan(1e-6);
    const after = await simplified(expanding, { growth: 1 << 23 });
    expect(opsOf(after)).toEqual(["MatMul"]);
  });

  test("leaves the weights of quantised models small", async () => {
    const model = build((of) => {
      const x = of.input("x", "float32", [1, 4]);
      const weight = of.initializer(
        "w",
        tensorOf("int8", { dims: [4, 4], values: new Int8Array(16).fill(3) }),
      );
      return of.op("MatMul", [x, of.op("DequantizeLinear", [weight, scalar(of, 0.1)])]);
    });
    expect(opsOf(await simplified(model))).toContain("DequantizeLinear");
  });
});

test("any chain of affine steps around a convolution computes the same", async () => {
  const step = fc.record({
    op: fc.constantFrom("Mul", "Add", "Sub", "Div"),
    perChannel: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1000 }),
  });
  const property = fc.asyncProperty(
    fc.array(step, { maxLength: 3 }),
    fc.array(step, { maxLength: 3 }),
    fc.boolean(),
    async (before, after, padded) => {
      const chain = (of: GraphBuilder, from: string, steps: typeof before): string =>
        steps.reduce((value, { op, perChannel, seed }) => {
          const dims = perChannel ? [3, 1, 1] : [1];
          const values = (random(dims, seed).values as Float32Array).map((v) => v + Math.sign(v));
          return of.op(op, [value, of.constant("float32", { dims, values })]);
        }, from);
      const model = build((of) => {
        const x = chain(of, of.input("x", "float32", [1, 3, 5, 5]), before);
        const pads = padded ? [1, 1, 1, 1] : [0, 0, 0, 0];
        const conv = of.op("Conv", [x, floats(of, [3, 3, 3, 3], 9)], { pads });
        return of.op("Relu", [chain(of, conv, after)]);
      });
      expect(await difference(model, await simplified(model), [1, 3, 5, 5])).toBeLessThan(1e-4);
    },
  );
  await fc.assert(property, { numRuns: 15, seed: 3 });
});
