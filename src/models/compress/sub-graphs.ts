// What lies in branches of If and bodies of Loop and Scan. Passes change the main graph alone: what is inside
// runs under conditions, or many times, that only the run itself knows.

import { elementCount, type Graph, type Model, type Node, subGraphsOf } from "../../onnx/index.ts";

/** A node of the main graph that others lie inside of, at any depth. */
export interface NodeWithin {
  /** Name of the node, or of what it gives where it has none. */
  readonly name: string;
  readonly opType: string;
  readonly nodes: number;
  /** Numbers that are stored inside, as initializers or constants. */
  readonly weights: number;
}

/** Nodes of the main graph with graphs of their own, in its order. */
export function nodesWithSubGraphs({ graph }: Model): readonly NodeWithin[] {
  return (graph?.nodes ?? []).flatMap((node): NodeWithin[] => {
    const inside = subGraphsOf(node).map((of) => contentOf(of.graph));
    if (inside.length === 0) return [];
    const name = node.name || (node.outputs[0] ?? node.opType);
    return [{ name, opType: node.opType, ...total(inside) }];
  });
}

/** Why passes leave them as they are, in words for a report. */
export const reasonLeft = ({ opType, nodes, weights }: NodeWithin): string =>
  `${nodes} nodes and ${weights.toLocaleString("en")} weights lie inside of ${opType}, which no pass changes`;

interface Content {
  readonly nodes: number;
  readonly weights: number;
}

function contentOf({ nodes, initializers }: Graph): Content {
  const stored = initializers.reduce((sum, tensor) => sum + elementCount(tensor), 0);
  const constants = nodes.reduce((sum, node) => sum + constantIn(node), 0);
  const deeper = nodes.flatMap((node) => subGraphsOf(node).map((of) => contentOf(of.graph)));
  return total([{ nodes: nodes.length, weights: stored + constants }, ...deeper]);
}

const total = (all: readonly Content[]): Content => ({
  nodes: all.reduce((sum, { nodes }) => sum + nodes, 0),
  weights: all.reduce((sum, { weights }) => sum + weights, 0),
});

/** Numbers of a tensor that a Constant node holds. */
function constantIn({ opType, attributes }: Node): number {
  if (opType !== "Constant") return 0;
  const value = attributes.find(({ name }) => name === "value");
  return value?.kind === "tensor" ? elementCount(value.value) : 0;
}
