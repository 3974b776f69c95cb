import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { randomFloats, runModel } from "../../../test/onnx-runtime.ts";
import { operators } from "../../../test/operators.ts";
import { modelBuilder } from "../../onnx/index.ts";
import { batchNormAsPrimitives } from "./batch-norm-primitives.ts";

function normalising(dims: readonly number[]) {
  const g = modelBuilder({ operators });
  const channels = dims[1] ?? 1;
  const x = g.input("x", "float32", dims);
  const vector = (of: (index: number) => number) =>
    g.constant("float32", {
      dims: [channels],
      values: Array.from({ length: channels }, (_, i) => of(i)),
    });
  const operands = [vector((i) => 1 + i), vector((i) => i - 1), vector(() => 0), vector(() => 1)];
  const attributes = { training_mode: 1, momentum: 0, epsilon: 1e-3 };
  const outputs = g.ops("BatchNormalization", [x, ...operands], { outputs: 3, attributes });
  for (const [index, output] of outputs.entries()) g.output(output, { name: `y${index}` });
  return g.finish();
}

describe.skipIf(nativeMissing !== null)("batch norm in training mode, written out", () => {
  test.each([[[4, 3]], [[4, 3, 5]], [[2, 3, 4, 5]]])(
    "gives the operator's three values for %j",
    async (dims) => {
      const model = normalising(dims);
      const out = batchNormAsPrimitives(model);
      expect(out.graph?.nodes.map(({ opType }) => opType)).not.toContain("BatchNormalization");
      const x = randomFloats(dims, 3);
      const [expected, got] = [await runModel(model, { x }), await runModel(out, { x })];
      for (const name of ["y0", "y1", "y2"]) {
        const values = [...((got[name]?.data ?? []) as Float32Array)];
        expect(values.length).toBeGreaterThan(0);
        values.forEach((value, at) => {
          expect(value).toBeCloseTo(Number(expected[name]?.data[at]), 4);
        });
      }
    },
  );
  test("a model that keeps its statistics is left as it is", () => {
    const g = modelBuilder({ operators });
    g.output(g.op("Relu", [g.input("x", "float32", [2])]));
    const model = g.finish();
    expect(batchNormAsPrimitives(model)).toBe(model);
  });
});
