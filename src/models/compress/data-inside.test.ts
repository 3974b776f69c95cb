import { expect, test } from "vitest";
import { node, model as small } from "../../../test/small-model.ts";
import { elementsOf, type Tensor } from "../../onnx/index.ts";
import { withDataInside } from "./data-inside.ts";

test("weights of other files come into the model when they are asked for", () => {
  let reads = 0;
  const weight: Tensor = {
    name: "w",
    dims: [2n],
    dataType: "float32",
    data: { kind: "external", entries: [{ key: "location", value: "weights.bin" }] },
    metadata: [],
  };
  const model = small({
    inputs: { x: [2], w: weight },
    nodes: [node("Add", [["x", "w"], ["y"]])],
  });
  const inside = withDataInside(model, () => ({
    length: 8,
    bytes: () => {
      reads++;
      return new Uint8Array(Float32Array.of(1, 2).buffer);
    },
  }));
  expect(reads).toBe(0);
  const [tensor] = inside.graph?.initializers ?? [];
  expect(tensor && [...elementsOf(tensor)]).toEqual([1, 2]);
});
