import fc from "fast-check";
import { expect, test } from "vitest";
import { operators } from "../../../test/operators.ts";
import { type Model, modelBuilder } from "../../onnx/index.ts";
import { segmentsOf } from "./segments.ts";

/** Layers that widen and narrow: between two layers 2 numbers cross, within one 64. */
function hourglasses(layers: number): Model {
  const g = modelBuilder({ operators });
  let y = g.input("x", "float32", [2]);
  for (let layer = 0; layer < layers; layer++) {
    const shape = g.constant("int64", { dims: [2], values: [32, 2] });
    const wide = g.op({ type: "Expand", name: `${layer}/wide` }, [y, shape]);
    const axes = g.constant("int64", { dims: [1], values: [0] });
    const bent = g.op({ type: "Tanh", name: `${layer}/bent` }, [wide]);
    y = g.op({ type: "ReduceSum", name: `${layer}/narrow` }, [bent, axes], { keepdims: 0 });
  }
  g.output(y, { name: "y" });
  return g.finish();
}

test("cuts lie where the least crosses", () => {
  const segments = segmentsOf(hourglasses(8), { forward: 24, count: 4 });
  expect(segments.map((nodes) => nodes.length)).toEqual([6, 6, 6, 6]);
  expect(segments.map((nodes) => nodes.at(-1)?.name)).toEqual([
    "1/narrow",
    "3/narrow",
    "5/narrow",
    "7/narrow",
  ]);
});

test("every node is in one segment, in its order, and there are no more than were asked for", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 1, max: 30 }),
      (layers, count) => {
        const model = hourglasses(layers);
        const forward = 3 * layers;
        const segments = segmentsOf(model, { forward, count });
        expect(segments.flat()).toEqual(model.graph?.nodes.slice(0, forward));
        expect(segments.length).toBeLessThanOrEqual(count);
        expect(segments.every((nodes) => nodes.length > 0)).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});
