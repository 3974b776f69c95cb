import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { createFakeHost } from "../../test/fake-host.ts";
import { operators } from "../../test/operators.ts";
import { loadOperators } from "./operator-table.ts";

const folder = new URL("../../data/onnx-operators/", import.meta.url);

test("the table is the one that its checksum was made of", () => {
  const sum = createHash("sha256").update(readFileSync(new URL("operators.json", folder)));
  const stated = readFileSync(new URL("SHA256SUMS", folder), "utf8");
  expect(stated).toBe(`${sum.digest("hex")}  operators.json\n`);
});

// onnx, docs/Changelog.md and docs/Operators.md.
describe("as the specification says", () => {
  const since = (name: string) => operators.versions("", name).map((of) => of.since);

  test.each([
    ["Clip", [1, 6, 11, 12, 13]],
    ["Upsample", [1, 7, 9, 10]],
    ["Resize", [10, 11, 13, 18, 19]],
    ["Squeeze", [1, 11, 13, 21, 23, 24, 25]],
    ["RMSNormalization", [23]],
  ])("%s has the versions %j", (name, versions) => {
    expect(since(name)).toEqual(versions);
  });
  test("the version in force is the newest that is not newer than the opset", () => {
    expect(operators.find("", "Clip", 11)?.since).toBe(11);
    expect(operators.find("", "Clip", 10)?.since).toBe(6);
    expect(operators.find("", "Clip", 21)?.since).toBe(13);
    expect(operators.find("", "Resize", 9)).toBeNull();
  });
  test("Conv takes two or three inputs, and knows its attributes", () => {
    const conv = operators.find("", "Conv", 21);
    expect(conv?.inputArity).toEqual({ min: 2, max: 3 });
    expect(conv?.inputs.map(({ name, option }) => `${name} ${option}`)).toEqual([
      "X single",
      "W single",
      "B optional",
    ]);
    expect(conv?.attributes.get("group")).toEqual({ kind: "int", required: false, default: 1 });
    expect([...(conv?.types.get("T") ?? [])]).toEqual(["float16", "float32", "float64"]);
  });
  test("Concat takes any number of one type and needs an axis, a Loop takes any of any types", () => {
    const concat = operators.find("", "Concat", 21);
    expect(concat?.inputArity).toEqual({ min: 1, max: Number.POSITIVE_INFINITY });
    expect(concat?.inputs[0]).toMatchObject({ option: "variadic", homogeneous: true });
    expect(concat?.attributes.get("axis")).toEqual({ kind: "int", required: true });
    expect(operators.find("", "Loop", 21)?.inputs.at(-1)).toMatchObject({ homogeneous: false });
  });
  test("defaults are the decimals of the specification, not of float32", () => {
    const epsilon = operators.find("", "BatchNormalization", 21)?.attributes.get("epsilon");
    expect(epsilon?.default).toBe(1e-5);
    expect(operators.find("", "Selu", 21)?.attributes.get("gamma")?.default).toBe(1.050701);
  });
  test("each opset came with a file format", () => {
    expect([8, 9, 13, 15, 21, 23].map(operators.irVersionOf)).toEqual([3, 4, 7, 8, 10, 11]);
  });
});

test("the operators of ONNX Runtime that models use are known", () => {
  const names = new Set(operators.names("com.microsoft"));
  const wanted = [
    "Attention",
    "MultiHeadAttention",
    "GroupQueryAttention",
    "SkipLayerNormalization",
    "SkipSimplifiedLayerNormalization",
    "EmbedLayerNormalization",
    "FastGelu",
    "BiasGelu",
    "Gelu",
    "QuickGelu",
    "FusedConv",
    "FusedMatMul",
    "FusedGemm",
    "MatMulNBits",
    "DynamicQuantizeMatMul",
    "QLinearAdd",
    "QLinearMul",
    "QLinearConcat",
    "QLinearAveragePool",
    "QLinearGlobalAveragePool",
    "QLinearSigmoid",
    "QLinearSoftmax",
    "QAttention",
    "RotaryEmbedding",
    "MatMulIntegerToFloat",
    "QuantizeLinear",
    "DequantizeLinear",
    "QGemm",
    "GatherBlockQuantized",
    "MoE",
  ];
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
});

test("names that every JavaScript object has are no operators", () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    expect(operators.versions("", name)).toEqual([]);
    expect(operators.latest(name)).toBeNull();
  }
});

test("ai.onnx has two names, and a host reads the shipped table", async () => {
  const loaded = await loadOperators(createFakeHost());
  expect(loaded.find("ai.onnx", "Relu", 21)?.domain).toBe("");
  expect(loaded.latest("ai.onnx")).toBe(loaded.latest(""));
});
