import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../test/engines.ts";
import { modelFile, modelNames } from "../../test/shared-data.ts";
import { tensorOf } from "../onnx/index.ts";
import { graphLiteral, node, port } from "./graph-literal.ts";
import { openSource } from "./model-source.ts";
import { createSession } from "./session.ts";
import { inferValueTypes } from "./value-types.ts";

describe.skipIf(nativeMissing !== null)("types of values", () => {
  const model = graphLiteral(
    [
      node("MatMul", ["x", "w"], ["h"]),
      node("Reshape", ["h", "shape"], ["r"]),
      node("Shape", ["h"], ["s"]),
      node("Relu", ["r"], ["y"]),
    ],
    [port("x", "float32", ["batch", 64])],
    [port("y", "float32")],
    [
      tensorOf("float32", { name: "w", dims: [64, 32], values: new Float32Array(2048) }),
      tensorOf("int64", { name: "shape", dims: [3], values: [-1n, 4n, 8n] }),
    ],
  );

  test("are known for every value, with the names of sizes, without reading weights", async () => {
    const types = await inferValueTypes(model);
    expect(Object.fromEntries(types)).toMatchObject({
      h: { dataType: "float32", dims: ["batch", 32] },
      s: { dataType: "int64", dims: [2] },
      y: { dataType: "float32" },
    });
    // -1 of the batch is open; 4 and 8 come from the constant.
    expect(types.get("r")?.dims?.slice(1)).toEqual([4, 8]);
  });

  test("follow sizes that are given", async () => {
    const types = await inferValueTypes(model, { dimensions: { batch: 5 } });
    expect(types.get("h")?.dims).toEqual([5, 32]);
    expect(types.get("y")?.dims).toEqual([5, 4, 8]);
  });

  const small = ["mnist_8.onnx", "magika_standard_v3_3.onnx", "ultraface_rfb_320.onnx"];
  test.each(small.filter((name) => modelNames.includes(name)))(
    "are those of what %s really computes",
    async (name) => {
      const opened = openSource(modelFile(name));
      const inputs = opened.model.graph?.inputs ?? [];
      opened.close();
      const session = await createSession(modelFile(name), { threads: 1 });
      const shapes = Object.fromEntries(
        session.inputs.map((input) => [
          input.name,
          (input.dims ?? []).map((size) => (typeof size === "number" ? size : 1)),
        ]),
      );
      expect(inputs.length).toBeGreaterThan(0);
      const types = await inferValueTypes(modelFile(name), { shapes });
      const feeds = Object.fromEntries(
        session.inputs.map(({ name: input, dataType }) => {
          const dims = shapes[input] ?? [];
          const length = dims.reduce((product, size) => product * size, 1);
          const data = dataType === "int32" ? new Int32Array(length) : new Float32Array(length);
          return [input, { dataType: dataType ?? "float32", dims, data }];
        }),
      );
      const outputs = await session.run(feeds);
      await session.close();
      for (const [output, { dataType, dims }] of Object.entries(outputs)) {
        const inferred = types.get(output);
        expect(inferred?.dataType).toBe(dataType);
        // A size that is computed during the run stays unknown; none is guessed.
        expect(inferred?.dims?.map((size, axis) => size ?? dims[axis])).toEqual(dims);
      }
      for (const node of openedNodes(name)) {
        for (const value of node.outputs) if (value !== "") expect(types.has(value)).toBe(true);
      }
    },
  );

  function openedNodes(name: string) {
    const opened = openSource(modelFile(name));
    opened.close();
    return opened.model.graph?.nodes ?? [];
  }
});
