import { expect, test } from "vitest";
import { randomFloats } from "../../../../test/onnx-runtime.ts";
import { operators } from "../../../../test/operators.ts";
import { nativeRuntime, profileModel } from "../../../engine/index.ts";
import { type Model, modelBuilder } from "../../../onnx/index.ts";
import type { PassContext } from "../pass.ts";
import { quantiseDynamic } from "./dynamic.ts";
import { outputsOn, relativeError } from "./sensitivity.ts";

const context: PassContext = { operators, runtime: nativeRuntime(), seed: 1 };
const feeds = {
  x: {
    dataType: "float32",
    dims: [4, 6, 32],
    data: randomFloats([4, 6, 32], 1).data as Float32Array,
  },
} as const;

/** Two products of one activation, a Gemm each way round, a product of activations. */
function network(): Model {
  const of = modelBuilder({ operators });
  const x = of.input("x", "float32", ["batch", "length", 32]);
  const weight = (dims: readonly number[], seed: number): string =>
    of.constant("float32", { dims, values: randomFloats(dims, seed).data as Float32Array });
  const [q, k] = [
    of.op("MatMul", [x, weight([32, 16], 1)]),
    of.op("MatMul", [x, weight([32, 16], 2)]),
  ];
  const scores = of.op("MatMul", [q, of.op("Transpose", [k], { perm: [0, 2, 1] })]);
  const flat = of.op("Reshape", [scores, of.constant("int64", { dims: [2], values: [-1, 6] })]);
  const first = of.op("Gemm", [flat, weight([16, 6], 3), weight([16], 4)], { transB: 1 });
  of.output(of.op({ type: "Gemm", name: "last" }, [of.op("Relu", [first]), weight([16, 8], 5)]), {
    name: "y",
  });
  return of.finish();
}

test("products with stored weights compute in 8 bits, others say why not", async () => {
  const model = network();
  const {
    model: quantised,
    changes,
    refused,
  } = await quantiseDynamic.apply(model, context, undefined);
  expect(changes).toHaveLength(4);
  expect(refused.map(({ reason }) => reason)).toEqual(["both operands are computed"]);
  const { nodes } = await profileModel(quantised, feeds, { threads: 1, runs: 1 });
  const ops = nodes.map(({ operator }) => operator);
  expect(
    ops.filter((op) => /^(DynamicQuantizeMatMul|MatMulIntegerToFloat)$/.test(op)),
  ).toHaveLength(4);
  // One activation is put on its grid once for both of its products.
  expect(
    quantised.graph?.nodes.filter(({ opType }) => opType === "DynamicQuantizeLinear"),
  ).toHaveLength(3);
  const [[before], [after]] = [
    await outputsOn(model, [feeds], context),
    await outputsOn(quantised, [feeds], context),
  ];
  const error = relativeError(before ?? {}, after ?? {});
  expect(error).toBeGreaterThan(0);
  expect(error).toBeLessThan(1e-3);
});

test("nodes stay in floats where that is asked for", async () => {
  const options = { keepFloat: ["last"], perChannel: false };
  const { changes, refused } = await quantiseDynamic.apply(network(), context, options);
  expect(changes).toHaveLength(3);
  expect(refused.map(({ subject }) => subject)).toContain("last");
});
