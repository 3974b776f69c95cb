// Models of any size for the benchmark of counting.

import type { Model, Node, Tensor } from "../../src/onnx/index.ts";

/** Square dense layers of so many units. */
export function denseLayers(count: number, units: number, where: "raw" | "external"): Model {
  const bytes = new Uint8Array(where === "raw" ? units * units * 4 : 0);
  const weight = (index: number): Tensor => ({
    name: `w${index}`,
    dims: [BigInt(units), BigInt(units)],
    dataType: "float32",
    metadata: [],
    data:
      where === "raw"
        ? { kind: "raw", payload: { length: bytes.length, bytes: () => bytes } }
        : {
            kind: "external",
            entries: [
              { key: "location", value: "weights.bin" },
              { key: "offset", value: String(index * units * units * 4) },
              { key: "length", value: String(units * units * 4) },
            ],
          },
  });
  const nodes = Array.from({ length: count }, (_, index) =>
    node("MatMul", [`x${index}`, `w${index}`], `x${index + 1}`),
  );
  const weights = Array.from({ length: count }, (_, index) => weight(index));
  return modelOf(nodes, weights, [8, units]);
}

/** Nodes one after the other. */
export const chain = (count: number): Model =>
  modelOf(
    Array.from({ length: count }, (_, index) =>
      node(index % 2 === 0 ? "Relu" : "Neg", [`x${index}`], `x${index + 1}`),
    ),
    [],
    [1, 64, 28, 28],
  );

const node = (opType: string, inputs: readonly string[], output: string): Node => ({
  opType,
  name: `/layer/${output}`,
  inputs,
  outputs: [output],
  attributes: [],
  metadata: [],
});

function modelOf(
  nodes: readonly Node[],
  initializers: readonly Tensor[],
  dims: readonly number[],
): Model {
  const shape = dims.map((value) => ({ value: BigInt(value) }));
  const type = { kind: "tensor", elementType: "float32", shape } as const;
  return {
    irVersion: 8n,
    opsetImports: [{ domain: "", version: 17n }],
    metadata: [],
    functions: [],
    graph: {
      name: "generated",
      nodes,
      initializers,
      sparseInitializers: [],
      inputs: [{ name: "x0", type, metadata: [] }],
      outputs: [{ name: `x${nodes.length}`, metadata: [] }],
      valueInfos: [],
      metadata: [],
    },
  };
}
