// Chains put into a graph.

import { indexGraph, type Model, type Node } from "../../../onnx/index.ts";
import type { Chain } from "./method.ts";

/** The model with chains in place of nodes, and without the weights that nothing reads any more. */
export function withChains(model: Model, chains: ReadonlyMap<Node, Chain>): Model {
  const { graph } = model;
  if (graph === undefined) return model;
  const nodes = graph.nodes.flatMap((node) => chains.get(node)?.nodes ?? [node]);
  const added = [...chains.values()].flatMap(({ initializers }) => initializers);
  const changed = { ...graph, nodes, initializers: [...graph.initializers, ...added] };
  const replaced = new Set([...chains.keys()].map(({ inputs }) => inputs[1] ?? ""));
  const { uses, isOutput } = indexGraph(changed);
  const unread = (value: string): boolean =>
    replaced.has(value) && uses(value).length === 0 && !isOutput(value);
  return {
    ...model,
    graph: {
      ...changed,
      nodes: nodes.filter(({ outputs }) => !(outputs.length === 1 && unread(outputs[0] ?? ""))),
      initializers: changed.initializers.filter((of) => !unread(of.name ?? "")),
      inputs: graph.inputs.filter((input) => !unread(input.name)),
    },
  };
}
