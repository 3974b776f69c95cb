import { expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { operators } from "../../../test/operators.ts";
import { mean } from "../../core/index.ts";
import { type Model, modelBuilder, tensorOf } from "../../onnx/index.ts";
import { drawMasks, dropoutAsMasks } from "./dropout-masks.ts";
import { meanSquaredError } from "./losses/index.ts";
import { sgd } from "./optimizers/index.ts";
import { createTrainer } from "./trainer.ts";

/** y = dropout(x w). */
function dropping(rate: number): Model {
  const g = modelBuilder({ operators });
  const x = g.input("x", "float32", [4, 3]);
  const values = Float32Array.from({ length: 15 }, (_, at) => Math.cos(at));
  const w = g.initializer("w", tensorOf("float32", { dims: [3, 5], values }));
  const ratio = g.constant("float32", { dims: [], values: [rate] });
  g.output(g.op("Dropout", [g.op("MatMul", [x, w]), ratio]), { name: "y" });
  return g.finish();
}

test("a mask keeps its share, scaled so that the mean stays; the same seed draws the same", () => {
  const { model, masks } = dropoutAsMasks(dropping(0.25));
  expect(model.graph?.nodes.map(({ opType }) => opType)).toEqual(["MatMul", "Mul"]);
  expect(masks).toEqual([{ input: "mask/y", dims: [4, 5], rate: 0.25 }]);
  const wide = [{ input: "m", dims: [200, 200], rate: 0.25 }];
  const draw = (seed: number) =>
    Array.from((drawMasks(wide, seed)["m"]?.data ?? []) as Float32Array);
  expect(new Set(draw(1))).toEqual(new Set([0, Math.fround(4 / 3)]));
  expect(mean(draw(1))).toBeCloseTo(1, 1);
  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
});

test.skipIf(nativeMissing !== null)("a run goes on with the masks it would have had", async () => {
  const start = () =>
    createTrainer(dropping(0.5), {
      ...{ operators, loss: meanSquaredError, optimizer: sgd({ momentum: 0.9 }), seed: 7 },
      ...{ inputs: { x: [4, 3] }, parameters: ["w"], thread: "caller", engine: { threads: 1 } },
    });
  const batch = {
    x: Float32Array.from({ length: 12 }, (_, at) => Math.sin(at)),
    targets: new Float32Array(20).fill(1),
  };
  const [whole, first, second] = [await start(), await start(), await start()];
  const losses: number[] = [];
  for (let step = 0; step < 6; step++) losses.push((await whole.step([batch], 0.1)).loss);
  for (let step = 0; step < 3; step++) await first.step([batch], 0.1);
  second.restore(first.state());
  const later: number[] = [];
  for (let step = 3; step < 6; step++) later.push((await second.step([batch], 0.1)).loss);
  expect(later).toEqual(losses.slice(3));
  expect(second.state()).toEqual(whole.state());
  expect(new Set(losses).size).toBe(6);
  await Promise.all([whole, first, second].map((trainer) => trainer.close()));
});
