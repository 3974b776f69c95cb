import { describe, expect, test } from "vitest";
import { operators } from "../../../test/operators.ts";
import { modelBuilder } from "../../onnx/index.ts";
import type { Column, Dataset } from "../data/index.ts";
import { wireInputs, wireTargets } from "./wiring.ts";

/** A dataset by its columns alone; nothing is read from it. */
function dataset(columns: readonly Column[]): Dataset {
  return {
    ...{ name: "flowers", length: 3, columns },
    batch: () => Promise.reject(new Error("nothing is read here")),
  };
}

const image: Column = { name: "image", dataType: "float32", shape: [1, 8, 8] };
const label: Column = { name: "label", dataType: "int64", shape: [] };

function model() {
  const g = modelBuilder({ operators });
  g.output(g.op("Relu", [g.input("x", "float32", ["batch", 1, 8, 8])]), { name: "y" });
  return g.finish();
}

describe("inputs", () => {
  test("the only column that is no label goes to the only input", () => {
    expect(wireInputs(model(), dataset([image, label]))).toEqual([
      { input: "x", column: "image", dataType: "float32", dims: [1, 8, 8] },
    ]);
  });

  test("a choice for an input that is not there is refused with those that are", () => {
    expect(() => wireInputs(model(), dataset([image, label]), { picture: "image" })).toThrow(
      expect.objectContaining({
        message: 'the model has no input "picture"',
        hint: "Its inputs are x; the truth goes by labels or targets.",
      }),
    );
  });

  test("a choice of the column of the truth concerns the loss alone", () => {
    const wires = wireInputs(model(), dataset([image, label]), { labels: "label" });
    expect(wires.map(({ column }) => column)).toEqual(["image"]);
  });
});

describe("targets", () => {
  const asked = { role: "targets", input: "targets", dataType: "float32" } as const;

  test("one number a sample fits the loss that compares one, whatever its axes", () => {
    const [wire] = wireTargets([{ ...asked, dims: [32, 1] }], dataset([image, label]));
    expect(wire).toMatchObject({ column: "label", dims: [1] });
  });

  test("a class a sample is refused where a loss compares ten numbers, naming both", () => {
    expect(() => wireTargets([{ ...asked, dims: [32, 10] }], dataset([image, label]))).toThrow(
      "the loss takes targets of [10] a sample, column label of flowers has []",
    );
  });
});
