import fc from "fast-check";
import { expect, it } from "vitest";
import { layerModel } from "../../../test/layer-model.ts";
import { inferShapes } from "../../onnx/index.ts";
import { averagePool, conv, maxPool, windowOver } from "./index.ts";

const windows = fc.record({
  size: fc.integer({ min: 1, max: 17 }),
  kernel: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 4 }),
  dilation: fc.integer({ min: 1, max: 3 }),
  padding: fc.constantFrom("same" as const, "full" as const, "valid" as const, 0, 1, 2),
  rounding: fc.constantFrom("up" as const, "down" as const),
});

// Shape inference is held against ONNX Runtime elsewhere.
it("has as many positions as shape inference finds", () => {
  fc.assert(
    fc.property(windows, ({ size, kernel, stride, dilation, padding, rounding }) => {
      const shape = [2, size, size + 3];
      const layers = [
        () =>
          layerModel(shape, (at, x) =>
            conv(at, x, { filters: 2, kernel, stride, dilation, padding }),
          ),
        () => layerModel(shape, (at, x) => maxPool(at, x, { kernel, stride, padding, rounding })),
        () =>
          layerModel(shape, (at, x) => averagePool(at, x, { kernel, stride, padding, rounding })),
      ];
      for (const build of layers) {
        let model: ReturnType<typeof build>;
        try {
          model = build();
        } catch (error) {
          expect(String(error)).toMatch(/does not fit/);
          continue;
        }
        const { graph } = model;
        if (graph === undefined) throw new Error("no graph");
        // What the builder states of the output is what inference is to find out.
        const unstated = {
          ...graph,
          outputs: graph.outputs.map(({ name }) => ({ name, metadata: [] })),
        };
        const inferred = inferShapes({ ...model, graph: unstated });
        const stated = inferShapes(model);
        expect(inferred.faults).toEqual([]);
        expect(inferred.graph.values.get("y")).toEqual(stated.graph.values.get("y"));
      }
    }),
    { numRuns: 60 },
  );
});

it("keeps the size with `same`, adds the reach with `full`", () => {
  const over = (kernel: number, padding: "same" | "full", dilation = 1) =>
    windowOver([9], { kernel, padding, dilation }, "test");
  expect(over(3, "same").size).toEqual([9]);
  expect(over(4, "same")).toMatchObject({ size: [9], before: [1], after: [2] });
  expect(over(3, "same", 2)).toMatchObject({ size: [9], before: [2], after: [2] });
  expect(over(3, "full").size).toEqual([11]);
});

it("refuses what does not fit, by name", () => {
  expect(() => windowOver([2], { kernel: 3 }, "c5")).toThrow(
    "a kernel that spans 3 does not fit 2 elements (at c5)",
  );
  expect(() => windowOver([4, 4], { kernel: [3] }, "c5")).toThrow(/a kernel of \[3\] over 2 axes/);
  expect(() => windowOver([4], { kernel: 2, stride: 0 }, "c5")).toThrow(/a stride of \[0\]/);
  expect(() => windowOver([4], { kernel: 2, padding: -1 }, "c5")).toThrow(/a padding of \[-1\]/);
});
