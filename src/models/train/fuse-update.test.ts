import { expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { operators } from "../../../test/operators.ts";
import { createRandom } from "../../core/index.ts";
import { createSession } from "../../engine/index.ts";
import { checkModel, type Model, modelBuilder } from "../../onnx/index.ts";
import { withFusedUpdates } from "./fuse-update.ts";

/** p - rate (x^T dy), with so many rows to a batch. */
function update(rows: number): Model {
  const g = modelBuilder({ operators });
  const x = g.input("x", "float32", [rows, 6]);
  const dy = g.input("dy", "float32", [rows, 5]);
  const p = g.input("p", "float32", [6, 5]);
  const rate = g.input("rate", "float32", []);
  const gradient = g.op("Gemm", [x, dy], { transA: 1 });
  g.output(g.op("Sub", [p, g.op("Mul", [gradient, rate])]), { name: "next" });
  return g.finish();
}

test("an update goes into its product where that is less work", () => {
  const operatorsOf = (rows: number) =>
    withFusedUpdates(update(rows)).graph?.nodes.map(({ opType }) => opType);
  expect(operatorsOf(3)).toEqual(["Neg", "Mul", "Gemm"]);
  // 7 x 5 numbers of dy are more than the 6 x 5 of p.
  expect(operatorsOf(7)).toEqual(["Gemm", "Mul", "Sub"]);
  expect(checkModel(withFusedUpdates(update(3)), operators)).toEqual([]);
});

test.skipIf(nativeMissing !== null)("and gives the same numbers, but for rounding", async () => {
  const random = createRandom(1);
  const draw = (count: number) => Float32Array.from({ length: count }, () => random.normal());
  const feeds = { x: draw(18), dy: draw(15), p: draw(30), rate: Float32Array.of(0.1) };
  const results: number[][] = [];
  for (const model of [update(3), withFusedUpdates(update(3))]) {
    const session = await createSession(model, { threads: 1 });
    const { next } = await session.run(feeds);
    await session.close();
    results.push(Array.from(next?.data as Float32Array));
  }
  const [plain = [], fused = []] = results;
  for (const [at, value] of plain.entries()) expect(fused[at]).toBeCloseTo(value, 5);
});
