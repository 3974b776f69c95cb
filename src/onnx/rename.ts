// Gives values other names, in nodes and in what their sub-graphs read from outside.

import { mapSubGraphs } from "./attributes.ts";
import { outsideReads } from "./graph-index.ts";
import type { Graph, Node } from "./model.ts";

/** New names by old ones; what is not in it keeps its name. */
export type Renaming = ReadonlyMap<string, string>;

/** The node reading and making values under their new names. */
export function renameNode(node: Node, renaming: Renaming): Node {
  const rename = (name: string): string => renaming.get(name) ?? name;
  const renamed = mapSubGraphs(node, (graph) => renameReads(graph, renaming));
  return { ...renamed, inputs: node.inputs.map(rename), outputs: node.outputs.map(rename) };
}

/** A sub-graph that reads values of enclosing graphs under their new names. Its own keep theirs. */
function renameReads(graph: Graph, renaming: Renaming): Graph {
  const outside = outsideReads(graph);
  const applicable = new Map([...renaming].filter(([name]) => outside.has(name)));
  if (applicable.size === 0) return graph;
  const outputs = graph.outputs.map((info) => ({
    ...info,
    name: applicable.get(info.name) ?? info.name,
  }));
  return { ...graph, outputs, nodes: graph.nodes.map((node) => renameNode(node, applicable)) };
}
