import { readFileSync } from "node:fs";
import fc from "fast-check";
import { Tensor as OrtTensor } from "onnxruntime-node";
import { describe, expect, test } from "vitest";
import { randomFloats, refusalOf, runModel } from "../../test/onnx-runtime.ts";
import { operators } from "../../test/operators.ts";
import { modelFile, modelNames } from "../../test/shared-data.ts";
import { extendModel, modelBuilder } from "./builder.ts";
import { memorySource } from "./byte-source.ts";
import { checkModel } from "./check/check-model.ts";
import { decodeModel } from "./decode.ts";
import { elementsOf } from "./elements.ts";
import type { DataType } from "./model.ts";
import { ModelError } from "./model-error.ts";
import { tensorOf } from "./tensor-of.ts";

const start = (opset = 21) => modelBuilder({ operators, opsets: { "": opset } });

test("a network is built, checked and run", async () => {
  const g = start();
  const x = g.input("x", "float32", ["batch", 2]);
  const block = g.scope("block");
  const w = block.constant("float32", { name: "weight", dims: [2, 3], values: [1, 2, 3, 4, 5, 6] });
  const h = block.op("Gemm", [x, w], { alpha: 2 });
  g.output(block.op("Relu", [h]), { name: "y" });
  const model = g.finish();
  expect(model.graph?.nodes.map(({ name }) => name)).toEqual(["block/gemm1", "block/relu1"]);
  const { y } = await runModel(model, {
    x: new OrtTensor("float32", Float32Array.of(1, 1, -1, 0), [2, 2]),
  });
  // 2 x [[1,1],[-1,0]] [[1,2,3],[4,5,6]], negatives cut.
  expect(y?.data).toEqual(Float32Array.of(10, 14, 18, 0, 0, 0));
});

describe("names are made for people", () => {
  test("operators are numbered within their scope, and scopes that repeat get a number", () => {
    const g = start();
    const x = g.input("x", "float32", [4]);
    const first = g.scope("block");
    const second = g.scope("block");
    expect(first.op("Relu", [x])).toBe("block/relu1");
    expect(first.op("Relu", [x])).toBe("block/relu2");
    expect(second.op({ type: "Relu", name: "act" }, [x])).toBe("block2/act");
    expect(second.scope("inner").op("Abs", [x])).toBe("block2/inner/abs1");
  });
  test("an output has the name that was asked for, sub-graphs and copies included", async () => {
    const g = start();
    const x = g.input("x", "float32", [2]);
    const doubled = g.op("Add", [x, x]);
    const yes = g.constant("bool", { dims: [], values: [1] });
    const [chosen = ""] = g.ops("If", [yes], {
      outputs: 1,
      attributes: {
        then_branch: g.subGraph("then", (body) => body.output(body.op("Neg", [doubled]))),
        else_branch: g.subGraph("else", (body) => body.output(body.op("Abs", [doubled]))),
      },
    });
    g.output(doubled, { name: "doubled" });
    g.output(doubled, { name: "again" });
    g.output(chosen, { name: "negated" });
    g.output(x, { name: "copy" });
    const model = g.finish();
    const result = await runModel(model, { x: new OrtTensor("float32", [1, -2], [2]) });
    const numbers = Object.entries(result).map(([key, { data }]) => [
      key,
      [...(data as Float32Array)],
    ]);
    expect(Object.fromEntries(numbers)).toEqual({
      doubled: [2, -4],
      again: [2, -4],
      negated: [-2, 4],
      copy: [1, -2],
    });
  });
});

describe("mistakes are refused where they are made", () => {
  const g = start();
  const x = g.input("x", "float32", [1, 1, 4, 4]);
  const i = g.input("i", "int64", [1]);
  test.each<[string, () => unknown, RegExp]>([
    [
      "an operator that is not there",
      () => g.op("Convolution", [x]),
      /no Convolution in version 21/,
    ],
    ["an operator of a later opset", () => g.op("RMSNormalization", [x]), /RMSNormalization/],
    ["a value that does not exist", () => g.op("Relu", ["y"]), /no value "y"/],
    ["an attribute of another operator", () => g.op("Relu", [x], { stride: 1 }), /no attribute/],
    ["an attribute of another kind", () => g.op("Concat", [x], { axis: "1" }), /"axis" cannot be/],
    ["a fraction for an integer", () => g.op("Concat", [x], { axis: 0.5 }), /"axis" cannot be/],
    ["types that do not fit", () => g.op("Add", [x, i]), /"B" is int64 while "A" is float32/],
    ["a type that is not allowed", () => g.op("Not", [x]), /float32, and may be bool/],
    ["a name twice", () => g.input("x", "float32"), /"x" is empty or in use/],
    ["an unclear kind", () => g.op({ type: "F", domain: "my" }, [x], { a: 1 }), /not clear/],
  ])("%s", (_, mistake, message) => {
    expect(mistake).toThrow(ModelError);
    expect(mistake).toThrow(message);
  });
  test("the nearest attribute is suggested", () => {
    try {
      g.op("Conv", [x, x], { stride: [1, 1] });
      expect.unreachable();
    } catch (error) {
      expect((error as ModelError).hint).toBe('Did you mean "strides"?');
    }
  });
  test("what is missing is found at the end", () => {
    const incomplete = start();
    incomplete.output(incomplete.op("Concat", [incomplete.input("x", "float32", [1])]));
    expect(() => incomplete.finish()).toThrow(/attribute "axis" is missing/);
  });
});

describe("tensors from values", () => {
  test.each<[DataType, readonly number[]]>([
    ["float32", [1.5, -2]],
    ["float64", [0.1, -2]],
    ["float16", [1.5, -65504, 2 ** -24]],
    ["bfloat16", [1.5, -2, 2 ** 100]],
    ["int4", [-8, 7, 3]],
    ["uint4", [15, 0, 9]],
    ["int8", [-128, 127]],
    ["uint8", [0, 255]],
    ["int16", [-32768, 32767]],
    ["uint16", [0, 65535]],
    ["int32", [-(2 ** 31), 2 ** 31 - 1]],
    ["uint32", [0, 2 ** 32 - 1]],
    ["int64", [-3, 2 ** 53 - 1]],
    ["uint64", [3, 2 ** 53 - 1]],
    ["bool", [0, 1]],
  ])("%s come back as they were given", (dataType, values) => {
    const tensor = tensorOf(dataType, { dims: [values.length], values });
    expect(Array.from<unknown, number>(elementsOf(tensor), Number)).toEqual(values);
  });
  test.each<[DataType, readonly number[]]>([
    ["int4", [8]],
    ["uint4", [-1]],
    ["int8", [128]],
    ["uint8", [-1]],
    ["int32", [2 ** 31]],
    ["uint64", [-1]],
    ["int16", [0.5]],
  ])("%s refuses what it cannot hold", (dataType, values) => {
    expect(() => tensorOf(dataType, { dims: [1], values })).toThrow(/does not fit the type/);
  });
  test("the number of values must be that of the dimensions", () => {
    expect(() => tensorOf("float32", { name: "w", dims: [2, 3], values: [1] })).toThrow(
      /1 values where the dimensions \[2, 3\] say 6 \(at tensor "w"\)/,
    );
  });
});

/** Element-wise graphs of any form, built from a list of choices. */
const UNARY = ["Relu", "Neg", "Abs", "Sigmoid", "Tanh", "Identity", "Exp", "Softsign"];
const BINARY = ["Add", "Sub", "Mul", "Max", "Min"];
const step = fc.record({
  operator: fc.constantFrom(...UNARY, ...BINARY, "Concat", "Split"),
  left: fc.nat(),
  right: fc.nat(),
  scope: fc.constantFrom("", "a", "b"),
});

test("random graphs pass the checker and ONNX Runtime, in every opset", async () => {
  const graphs = fc.array(step, { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(graphs, fc.integer({ min: 13, max: 23 }), async (steps, opset) => {
      const g = start(opset);
      const values = [g.input("x", "float32", [2, 4]), g.input("y", "float32", [2, 4])];
      for (const { operator, left, right, scope } of steps) {
        const at = scope === "" ? g : g.scope(scope);
        const pick = (index: number) => values[index % values.length] ?? "x";
        const [a, b] = [pick(left), pick(right)];
        if (operator === "Split") {
          const sizes = at.constant("int64", { dims: [2], values: [1, 3] });
          const parts = at.ops("Split", [a, sizes], { outputs: 2, attributes: { axis: 1 } });
          values.push(at.op("Concat", parts, { axis: 1 }));
        } else if (operator === "Concat") {
          const joined = at.op("Concat", [a, b], { axis: 0 });
          const two = at.constant("int64", { dims: [1], values: [2] });
          const zero = at.constant("int64", { dims: [1], values: [0] });
          values.push(at.op("Slice", [joined, zero, two, zero]));
        } else {
          values.push(at.op(operator, UNARY.includes(operator) ? [a] : [a, b]));
        }
      }
      g.output(values.at(-1) ?? "x", { name: "out" });
      const model = g.finish();
      expect(checkModel(model, operators)).toEqual([]);
      expect(await refusalOf(model)).toBeNull();
      const inputs = { x: randomFloats([2, 4], 1), y: randomFloats([2, 4], 2) };
      expect((await runModel(model, inputs))["out"]?.dims).toEqual([2, 4]);
    }),
    { numRuns: 60 },
  );
});

describe("a model is continued", () => {
  const base = () => {
    const g = start();
    const x = g.input("x", "float32", ["batch", 2]);
    const h = g.op({ type: "Relu", name: "hidden" }, [x]);
    g.output(g.op("Neg", [h]), { name: "y" });
    return g.finish();
  };

  test("what is added reads the model's values, and its names, nodes and outputs stay", async () => {
    const before = base();
    const g = extendModel(before, { operators });
    const two = g.constant("float32", { dims: [], values: [2] });
    g.output(g.op("Mul", ["hidden", two]), { name: "doubled" });
    g.output("hidden", { name: "seen" });
    g.output("y", { name: "again" });
    const after = g.finish();
    expect(after.graph?.nodes.slice(0, 2)).toEqual(before.graph?.nodes);
    expect(after.graph?.outputs.map(({ name }) => name)).toEqual(["y", "doubled", "seen", "again"]);
    const result = await runModel(after, { x: new OrtTensor("float32", [1, -2], [1, 2]) });
    const numbers = Object.entries(result).map(([key, { data }]) => [
      key,
      [...(data as Float32Array)].map((value) => value + 0),
    ]);
    expect(Object.fromEntries(numbers)).toEqual({
      y: [-1, 0],
      doubled: [2, 0],
      seen: [1, 0],
      again: [-1, 0],
    });
  });

  test("nothing added, nothing changed", () => {
    const before = base();
    expect(extendModel(before, { operators }).finish()).toEqual(before);
  });

  test("types of its values are known, so that a mistake is refused where it is made", () => {
    const g = extendModel(base(), { operators });
    const i = g.input("i", "int64", [2]);
    expect(() => g.op("Add", ["hidden", i])).toThrow(ModelError);
  });

  test.each(modelNames)("%s takes another output and is still valid", (file) => {
    const before = decodeModel(memorySource(new Uint8Array(readFileSync(modelFile(file)))));
    const g = extendModel(before, { operators });
    const [output] = before.graph?.outputs ?? [];
    g.output(output?.name ?? "", { name: "godwit/copy" });
    const after = g.finish();
    expect(after.graph?.outputs).toHaveLength((before.graph?.outputs.length ?? 0) + 1);
    expect(checkModel(after, operators).filter(({ severity }) => severity === "error")).toEqual([]);
  });
});
