import { expect, test } from "vitest";
import { node, model as small } from "../../../test/small-model.ts";
import { elementsOf, type Tensor } from "../../onnx/index.ts";
import { withDataInside } from "./data-inside.ts";

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

test("weights of other files come into the model when they are asked for", () => {
  let reads = 0;
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

test("more weights than one file can hold are refused before they are read", () => {
  const external = () => ({
    length: 8,
    bytes: () => {
      throw new Error("it was read");
    },
  });
  expect(() => withDataInside(model, external, 8)).not.toThrow();
  expect(() => withDataInside(model, external, 7)).toThrow("more than one file can hold");
});

test("the limit is that of protobuf", () => {
  const of = (length: number) => () => ({ length, bytes: () => new Uint8Array() });
  expect(() => withDataInside(model, of(2 ** 31 - 1))).not.toThrow();
  expect(() => withDataInside(model, of(2 ** 31))).toThrow("2.15 GB");
});
