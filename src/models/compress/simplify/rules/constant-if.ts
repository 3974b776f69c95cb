// A branch that is always taken stands in place of the If.

import { elementsOf, type Graph, type Node, renameNode } from "../../../../onnx/index.ts";
import { nodeOf } from "../../node-of.ts";
import type { Rule, Scene } from "../rule.ts";

export const takeBranch: Rule = {
  name: "take-branch",
  fidelity: "exact",
  operators: ["If"],
  apply(node, scene) {
    const condition = scene.editor.constant(node.inputs[0] ?? "");
    if (condition === null || condition.dataType !== "bool") return null;
    const taken = Number(elementsOf(condition)[0]) !== 0 ? "then_branch" : "else_branch";
    const branch = node.attributes.find(({ name }) => name === taken);
    if (branch?.kind !== "graph" || branch.value.sparseInitializers.length > 0) return null;
    inline(node, branch.value, scene);
    return `took its ${taken}`;
  },
};

/** Values of the branch get names of their own; its outputs become those of the node. */
function inline(node: Node, branch: Graph, { editor }: Scene): void {
  const renaming = new Map<string, string>();
  for (const tensor of branch.initializers) {
    const name = tensor.name ?? "";
    renaming.set(name, editor.store(name, tensor));
  }
  for (const { outputs } of branch.nodes) {
    for (const output of outputs) if (output !== "") renaming.set(output, editor.fresh(output));
  }
  const copies: Node[] = [];
  branch.outputs.forEach(({ name }, at) => {
    const output = node.outputs[at] ?? "";
    if (output === "") return;
    copies.push(nodeOf("Identity", [renaming.get(name) ?? name], { outputs: [output] }));
  });
  const nodes = branch.nodes.map((inner) => renameNode(inner, renaming));
  editor.replace(node, ...nodes, ...copies);
}
