import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { randomFloats, runModel } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import {
  type AttributeValues,
  extendModel,
  type GraphBuilder,
  type Model,
  modelBuilder,
} from "../../onnx/index.ts";
import { differentiate } from "./differentiate.ts";
import { withPooledColumns } from "./pooled-columns.ts";

interface Layer {
  /** [batch, channels, rows, columns] */
  readonly x: readonly number[];
  /** [outputs, channels, rows, columns] */
  readonly w: readonly number[];
  readonly conv?: AttributeValues;
  readonly pool?: AttributeValues;
  readonly bias?: boolean;
  readonly relu?: boolean;
  readonly extra?: (g: GraphBuilder, y: string) => void;
}

const options = { operators, parameters: new Set(["s", "w", "b"]) };
const HALVES = { kernel_shape: [2, 2], strides: [2, 2] };

/** Convolution and pool behind a factor that is trained, so that the input has a gradient too. */
function layer({ x, w, conv = {}, pool = HALVES, bias = true, relu = true, extra }: Layer): Model {
  const g = modelBuilder({ operators });
  const [outputs = 1] = w;
  const constant = (name: string, dims: readonly number[], seed: number) =>
    g.constant("float32", { name, dims, values: randomFloats(dims, seed).data as Float32Array });
  const scaled = g.op("Mul", [g.input("x", "float32", x), constant("s", x.slice(1), 2)]);
  const operands = bias
    ? [constant("w", w, 3), constant("b", [outputs], 4)]
    : [constant("w", w, 3)];
  const y = g.op("Conv", [scaled, ...operands], conv);
  extra?.(g, y);
  g.output(g.op("MaxPool", [relu ? g.op("Relu", [y]) : y], pool), { name: "y" });
  return g.finish();
}

/** The model's result and its gradients, of a sum with weights so that no two elements count the same. */
async function resultsOf(model: Model, { x, bias = true }: Layer) {
  const g = extendModel(model, { operators });
  const { dims = [] } = (await runModel(model, { x: randomFloats(x, 1) }))["y"] ?? {};
  const factors = randomFloats(dims, 5).data as Float32Array;
  const weighted = g.op("Mul", ["y", g.constant("float32", { dims, values: factors })]);
  const loss = g.op("ReduceSum", [weighted], { keepdims: 0 });
  const parameters = ["s", "w", ...(bias ? ["b"] : [])];
  const { model: both, gradients } = differentiate(g.finish(), { operators, loss, parameters });
  const ending = extendModel(both, { operators });
  for (const [name, gradient] of gradients) ending.output(gradient, { name: `d ${name}` });
  return runModel(ending.finish(), { x: randomFloats(x, 1) });
}

const cases: Readonly<Record<string, Layer>> = {
  "as in LeNet": { x: [16, 1, 12, 12], w: [6, 1, 5, 5], conv: { pads: [2, 2, 2, 2] } },
  "of several channels": { x: [16, 6, 8, 8], w: [4, 6, 3, 3] },
  "without a bias": { x: [16, 2, 6, 6], w: [3, 2, 3, 3], bias: false },
  "without a Relu": { x: [16, 2, 6, 6], w: [3, 2, 3, 3], relu: false },
  "with automatic padding": { x: [16, 2, 8, 6], w: [3, 2, 4, 3], conv: { auto_pad: "SAME_UPPER" } },
  "unlike in height and width": {
    ...{ x: [17, 3, 7, 12], w: [2, 3, 2, 5], conv: { pads: [1, 2, 0, 2] } },
    pool: { kernel_shape: [1, 3], strides: [1, 3] },
  },
};

describe.skipIf(nativeMissing !== null)("a pooled convolution as a product over columns", () => {
  test.each(Object.entries(cases))("%s: the same results and gradients", async (_, of) => {
    const model = layer(of);
    const columns = withPooledColumns(model, options);
    const types = columns.graph?.nodes.map(({ opType }) => opType) ?? [];
    expect(types).toContain("Gemm");
    expect(types).not.toContain("Conv");
    const [expected, found] = [await resultsOf(model, of), await resultsOf(columns, of)];
    expect(Object.keys(found)).toEqual(Object.keys(expected));
    for (const [name, { data, dims }] of Object.entries(expected)) {
      expect(found[name]?.dims).toEqual(dims);
      const values = Array.from(data as Float32Array);
      const size = Math.hypot(...values);
      const distance = Math.hypot(
        ...values.map((value, at) => value - Number(found[name]?.data[at])),
      );
      expect(size).toBeGreaterThan(0);
      expect(distance / size, name).toBeLessThan(1e-5);
    }
  });

  test("equal elements of a window share its gradient", async () => {
    const g = modelBuilder({ operators });
    const w = g.constant("float32", { name: "w", dims: [2, 1, 1, 1], values: [0, 0] });
    const y = g.op("MaxPool", [g.op("Conv", [g.input("x", "float32", [16, 1, 4, 4]), w])], HALVES);
    const loss = g.op("ReduceSum", [y], { keepdims: 0 });
    const columns = withPooledColumns(g.finish(), options);
    const { model, gradients } = differentiate(columns, { operators, loss, parameters: ["w"] });
    const ending = extendModel(model, { operators });
    ending.output(gradients.get("w") ?? "", { name: "dw" });
    const x = randomFloats([16, 1, 4, 4], 1);
    const { dw } = await runModel(ending.finish(), { x });
    const sum = Array.from(x.data as Float32Array).reduce((total, value) => total + value, 0);
    expect(dw?.data[0]).toBeCloseTo(sum / 4, 4);
    expect(dw?.data[1]).toBeCloseTo(sum / 4, 4);
  });
});

test.each<[string, Layer]>([
  ["few samples", { x: [8, 1, 8, 8], w: [2, 1, 3, 3] }],
  ["many channels", { x: [16, 32, 4, 4], w: [2, 32, 1, 1] }],
  [
    "large windows",
    { x: [16, 1, 9, 9], w: [2, 1, 1, 1], pool: { kernel_shape: [3, 3], strides: [3, 3] } },
  ],
  [
    "windows that overlap",
    { x: [16, 1, 9, 9], w: [2, 1, 1, 1], pool: { kernel_shape: [3, 3], strides: [2, 2] } },
  ],
  ["a rest that no window reads", { x: [16, 1, 9, 9], w: [2, 1, 1, 1] }],
  ["strides", { x: [16, 1, 8, 8], w: [2, 1, 2, 2], conv: { strides: [2, 2] } }],
  ["groups", { x: [16, 2, 8, 8], w: [2, 1, 1, 1], conv: { group: 2 } }],
  [
    "a result that is read elsewhere",
    { x: [16, 1, 8, 8], w: [2, 1, 1, 1], extra: (g, y) => g.output(g.op("Neg", [y])) },
  ],
])("%s leave a model as it is", (_, of) => {
  const model = layer(of);
  expect(withPooledColumns(model, options)).toBe(model);
});

test("kernels that are not trained stay a convolution", () => {
  const model = layer({ x: [16, 1, 8, 8], w: [2, 1, 1, 1] });
  expect(withPooledColumns(model, { ...options, parameters: new Set(["b"]) })).toBe(model);
  expect(withPooledColumns(model, options)).not.toBe(model);
});
