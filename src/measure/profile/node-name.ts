// What a node is called and where it belongs. Exporters write the module hierarchy into names with
// slashes; what has no name is called by operator and position, as ONNX Runtime's profile is read.

import type { Graph, Node } from "../../onnx/index.ts";

/** Names for the nodes of a graph, none twice; `within` stands before those of a sub-graph. */
export function nodeNames({ nodes }: Graph, within = ""): ReadonlyMap<Node, string> {
  const taken = new Set<string>();
  return new Map(
    nodes.map((node, index) => {
      const own = node.name ?? "";
      const name = own === "" || taken.has(own) ? `${node.opType}_${index}` : own;
      taken.add(name);
      return [node, within === "" ? name : `${within}/${name.replace(/^\//, "")}`];
    }),
  );
}

/**
 * The modules around a node, outermost first: `/layer1/conv1/Conv` is in `layer1`, `conv1`. Converters
 * from TensorFlow join the names of fused nodes with semicolons; the first stands for them all.
 */
export function scopeOf(name: string): readonly string[] {
  const [first = ""] = name.split(";");
  return first
    .split("/")
    .filter((part) => part !== "")
    .slice(0, -1);
}

/** The operator with its domain, where that is not ONNX's own. */
export const operatorName = ({ domain = "", opType }: Node): string =>
  domain === "" || domain === "ai.onnx" ? opType : `${domain}.${opType}`;
