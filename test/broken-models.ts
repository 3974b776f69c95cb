// A small valid model, and ways to break it.

import { attribute } from "../src/onnx/attributes.ts";
import { modelBuilder } from "../src/onnx/builder.ts";
import { checkModel } from "../src/onnx/check/check-model.ts";
import type { Graph, Model, Node, Tensor } from "../src/onnx/model.ts";
import { tensorOf } from "../src/onnx/tensor-of.ts";
import { tensorType } from "../src/onnx/value-type.ts";
import { operators } from "./operators.ts";

export const errorsOf = (model: Model) =>
  checkModel(model, operators).filter(({ severity }) => severity === "error");

/** conv1 and relu1, with a weight. */
export function healthy(): Model {
  const g = modelBuilder({ operators });
  const x = g.input("x", "float32", [1, 2, 5, 5]);
  const w = g.constant("float32", { name: "w", dims: [3, 2, 3, 3], values: new Float32Array(54) });
  g.output(g.op("Relu", [g.op("Conv", [x, w], { strides: [1, 1] })]), { name: "y" });
  return g.finish();
}

export const inGraph = (change: (graph: Graph) => Partial<Graph>): Model => {
  const model = healthy();
  const graph = model.graph as Graph;
  return { ...model, graph: { ...graph, ...change(graph) } };
};
export const inNode = (index: number, change: (node: Node) => Partial<Node>): Model =>
  inGraph(({ nodes }) => ({
    nodes: nodes.map((node, at) => (at === index ? { ...node, ...change(node) } : node)),
  }));
export const inWeight = (change: Partial<Tensor>): Model =>
  inGraph(({ initializers }) => ({
    initializers: initializers.map((of) => ({ ...of, ...change })),
  }));
export const value = (name: string) => ({ name, type: tensorType("float32", [1]), metadata: [] });
export const abs = (input: string, output: string): Node => ({
  opType: "Abs",
  name: output,
  inputs: [input],
  outputs: [output],
  attributes: [],
  metadata: [],
});
export const branch = (nodes: readonly Node[], output: string): Graph => ({
  name: "branch",
  nodes,
  inputs: [],
  outputs: [{ name: output, metadata: [] }],
  initializers: [],
  sparseInitializers: [],
  valueInfos: [],
  metadata: [],
});
/** An If on a constant. */
export const withIf = (of: Graph, other = branch([abs("x", "r")], "r")): Model =>
  inGraph(({ nodes, initializers }) => ({
    initializers: [...initializers, tensorOf("bool", { name: "yes", dims: [], values: [1] })],
    nodes: [
      ...nodes,
      {
        opType: "If",
        name: "if1",
        inputs: ["yes"],
        outputs: ["z"],
        attributes: [attribute.graph("then_branch", of), attribute.graph("else_branch", other)],
        metadata: [],
      },
    ],
  }));
