// A model in the form in which its axes can be followed: weights stored and no inputs, sizes of Reshape
// stored where they can be, nothing dead. With `biases`, layers that repair may have to shift get a zero
// bias beforehand, so that it is followed like any other.

import { indexGraph, type Model, type Node, type Tensor, tensorOf } from "../../../onnx/index.ts";
import type { PassContext } from "../pass.ts";
import { runSteps, stepOf } from "../run-passes.ts";
import { removeDeadCode } from "../simplify/dead-code.ts";
import { fixWeights } from "../simplify/fix-weights.ts";
import { rulesPass } from "../simplify/rule.ts";
import { fixReshape } from "../simplify/rules/layout.ts";
import { storeConstants } from "../simplify/store-constants.ts";

export async function prepareForPruning(
  model: Model,
  context: PassContext,
  options: { readonly biases: boolean },
): Promise<Model> {
  const steps = [
    stepOf(fixWeights, undefined),
    stepOf(storeConstants, undefined),
    stepOf(rulesPass("fix-reshapes", [fixReshape]), undefined),
    stepOf(removeDeadCode, undefined),
  ];
  const { model: prepared } = await runSteps(model, steps, context);
  return options.biases ? withBiases(prepared) : prepared;
}

function withBiases(model: Model): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const index = indexGraph(graph);
  const added: Tensor[] = [];
  const nodes = graph.nodes.map((node): Node => {
    const weight = index.initializer(node.inputs[1] ?? "");
    if (node.opType !== "Conv" || weight?.dataType !== "float32" || node.inputs[2]) return node;
    const size = Number(weight.dims[0] ?? 0n);
    const name = `${node.outputs[0]}/bias`;
    added.push(tensorOf("float32", { name, dims: [size], values: new Float32Array(size) }));
    return { ...node, inputs: [...node.inputs.slice(0, 2), name] };
  });
  return { ...model, graph: { ...graph, nodes, initializers: [...graph.initializers, ...added] } };
}
