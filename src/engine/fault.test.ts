import { describe, expect, test } from "vitest";
import { nativeMissing } from "../../test/engines.ts";
import { faultOf, halve, product, sessionOpener } from "../../test/session-rig.ts";
import { graphLiteral, node, port } from "./graph-literal.ts";

const open = sessionOpener();

describe.skipIf(nativeMissing !== null)(
  "what goes wrong is told with model, place and remedy",
  () => {
    const x = Float32Array.of(1, 2);
    const cases: readonly {
      readonly name: string;
      readonly fault: () => Promise<unknown>;
      readonly says: readonly string[];
    }[] = [
      {
        name: "a missing input",
        fault: async () => (await open(halve)).run({ x }),
        says: ['model "graph" needs input "b"', "b: float32 [2]"],
      },
      {
        name: "an unknown input",
        fault: async () => (await open(halve)).run({ x, b: x, bb: x }),
        says: ['has no input "bb"', 'Did you mean "b"'],
      },
      {
        name: "another element type",
        fault: async () => (await open(halve)).run({ x: Float64Array.of(1, 2), b: x }),
        says: ['input "x"', "takes float32, not Float64Array"],
      },
      {
        name: "another shape",
        fault: async () =>
          (await open(halve)).run({
            x: { dataType: "float32", dims: [1, 3], data: new Float32Array(3) },
            b: x,
          }),
        says: ['input "x"', "float32 [n, 2]", "[1, 3]"],
      },
      {
        name: "too few elements",
        fault: async () => (await open(halve)).run({ x: Float32Array.of(1, 2, 3), b: x }),
        says: ["float32 [n, 2], not 3 elements"],
      },
      {
        name: "bare elements for two open sizes",
        fault: async () => (await open(product)).run({ a: x, b: x }),
        says: ["not clear", "{ dataType, dims, data }"],
      },
      {
        name: "an unknown output",
        fault: async () => (await open(halve)).run({ x, b: x }, { outputs: ["z"] }),
        says: ['has no output "z"', "y"],
      },
      {
        name: "sizes that do not fit inside a node",
        fault: async () => {
          const a = { dataType: "float32", dims: [1, 2], data: x } as const;
          return (await open(product)).run({ a, b: a });
        },
        says: ['cannot run model "graph"', 'node "mm" (MatMul) failed', "dimension mismatch"],
      },
      {
        name: "an operator that does not exist",
        fault: () =>
          open(
            graphLiteral(
              [node("Frob", ["x"], ["y"], { name: "n7" })],
              [port("x", "float32", [1])],
              [port("y", "float32", [1])],
            ),
          ),
        says: ["no operator Frob at opset 21", 'node "n7" (Frob)'],
      },
      {
        name: "an opset that is too new",
        fault: () => open({ ...halve, opsetImports: [{ domain: "", version: 99n }] }),
        says: ["opset 99 of ai.onnx is too new", "opset 2"],
      },
      {
        name: "a file format that is too new",
        fault: () => open({ ...halve, irVersion: 99n }),
        says: ["IR version 99 is too new"],
      },
      {
        name: "element types without a kernel",
        fault: () =>
          open(
            graphLiteral(
              [node("Erf", ["x"], ["y"], { name: "e" })],
              [port("x", "float64", [1])],
              [port("y", "float64", [1])],
            ),
          ),
        says: ['node "e" (Erf) has no CPU kernel', "float32"],
      },
      {
        name: "mixed element types",
        fault: () =>
          open(
            graphLiteral(
              [node("Add", ["x", "i"], ["y"], { name: "sum" })],
              [port("x", "float32", [1]), port("i", "int64", [1])],
              [port("y", "float32", [1])],
            ),
          ),
        says: ['node "sum"', "tensor(float) and tensor(int64)", "Cast"],
      },
      {
        name: "shapes that cannot be added",
        fault: () =>
          open(
            graphLiteral(
              [node("Add", ["x", "z"], ["y"], { name: "sum" })],
              [port("x", "float32", [3]), port("z", "float32", [4])],
              [port("y", "float32", [3])],
            ),
          ),
        says: ['node "sum" (Add)', "incompatible dimensions"],
      },
      {
        name: "a value that nothing makes",
        fault: () =>
          open(
            graphLiteral(
              [node("Relu", ["q"], ["y"])],
              [port("x", "float32", [1])],
              [port("y", "float32", [1])],
            ),
          ),
        says: ['"q", which nothing in the graph makes'],
      },
      {
        name: "an output that nothing makes",
        fault: () =>
          open(
            graphLiteral(
              [node("Relu", ["x"], ["y"])],
              [port("x", "float32", [1])],
              [port("z", "float32", [1])],
            ),
          ),
        says: ['the output "z" is made by no node'],
      },
      {
        name: "a missing attribute",
        fault: () =>
          open(
            graphLiteral(
              [node("Concat", ["x", "x"], ["y"], { name: "cat" })],
              [port("x", "float32", [1])],
              [port("y", "float32", [2])],
            ),
          ),
        says: ['node "cat" (Concat)', "required attribute 'axis' is missing"],
      },
      {
        name: "elements that JavaScript cannot hold",
        fault: () =>
          open(
            graphLiteral(
              [node("Cast", ["x"], ["y"], { ints: { to: 16 } })],
              [port("x", "float32", [1])],
              [port("y", "bfloat16", [1])],
            ),
          ),
        says: ["TensorProto type 16", "Cast to float32"],
      },
      {
        name: "a damaged file",
        fault: () => open(Uint8Array.of(8, 9, 58, 200, 1)),
        says: ["truncated", "byte 5"],
      },
      {
        name: "a file that is not there",
        fault: () => open("nowhere/model.onnx"),
        says: ["nowhere/model.onnx"],
      },
    ];

    test.each(cases)("$name", async ({ fault, says }) => {
      const error = await faultOf(fault());
      const told = `${error.message}\n${error.hint}`;
      for (const part of says) expect(told).toContain(part);
      expect(told).not.toMatch(/onnxruntime_src|\.cc:\d|\.h:\d/);
      expect(error.hint).not.toBe("");
    });
  },
);
