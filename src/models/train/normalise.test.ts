import { expect, test } from "vitest";
import { operators } from "../../../test/operators.ts";
import { type Model, modelBuilder, tensorOf } from "../../onnx/index.ts";
import { normaliseForTraining } from "./normalise.ts";

/** A model of an older exporter: opset 11, a Constant node, a weight that an input could override. */
function older(): Model {
  const g = modelBuilder({ operators, opsets: { "": 11 } });
  const x = g.input("x", "float32", [2, 3]);
  const w = g.initializer("w", tensorOf("float32", { dims: [3], values: [1, 2, 3] }));
  const y = g.op("Mul", [x, w]);
  const two = g.op({ type: "Constant", name: "two" }, [], {
    value: tensorOf("float32", { dims: [], values: [2] }),
  });
  const wide = g.op("Unsqueeze", [g.op("Mul", [y, two])], { axes: [0] });
  g.output(g.op("ReduceMean", [wide], { axes: [2] }), { name: "y" });
  const model = g.finish();
  const { graph } = model;
  if (graph === undefined) throw new TypeError("a model without a graph");
  const shared = { name: "w", metadata: [], type: { kind: "tensor", elementType: "float32" } };
  return { ...model, graph: { ...graph, inputs: [...graph.inputs, shared as never] } };
}

test("axes become inputs, constants initializers, and weights cannot be overridden", () => {
  const model = normaliseForTraining(older(), { operators });
  expect(model.opsetImports).toMatchObject([{ domain: "", version: 21n }]);
  expect(model.graph?.inputs.map(({ name }) => name)).toEqual(["x"]);
  expect(model.graph?.nodes.map(({ opType, inputs }) => [opType, inputs.length])).toEqual([
    ["Mul", 2],
    ["Mul", 2],
    ["Unsqueeze", 2],
    ["ReduceMean", 2],
  ]);
  expect(model.graph?.initializers.map(({ name }) => name)).toContain("two");
});

test("a model in that form stays as it is", () => {
  const model = normaliseForTraining(older(), { operators });
  expect(normaliseForTraining(model, { operators })).toEqual(model);
});

test("what no upgrade is known for is refused by name", () => {
  const g = modelBuilder({ operators, opsets: { "": 6 } });
  g.output(g.op("Relu", [g.input("x", "float32", [2])]), { name: "y" });
  expect(() => normaliseForTraining(g.finish(), { operators })).toThrow(/opset/);
});
