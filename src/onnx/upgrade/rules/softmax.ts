// Softmax, LogSoftmax and Hardmax until opset 12 work on a matrix: everything from `axis` on is one
// row. From 13 on they work along one axis. The two agree where the axis is the last one.

import { attribute, intOf, withAttributes } from "../../attributes.ts";
import type { Node } from "../../model.ts";
import { newNode, type Rewrite, type RuleContext, type UpgradeRule } from "../rule.ts";

function flattened(operator: string): UpgradeRule {
  return { operator, version: 13, rewrite: (node, context) => alongOneAxis(node, context) };
}

function alongOneAxis(node: Node, context: RuleContext): Rewrite {
  const [x = ""] = node.inputs;
  const [y = ""] = node.outputs;
  const axis = intOf(node, "axis", 1);
  const rank = context.rank(x);
  if (axis === -1 || (rank !== null && axis === rank - 1)) {
    return { nodes: [withAttributes(node, [attribute.int("axis", -1)])] };
  }
  const shape = context.fresh("shape");
  const matrix = context.fresh("matrix");
  const result = context.fresh("result");
  // A zero in a shape stands for "as before" until opset 14 can say that it means zero.
  const zeros = context.target >= 14;
  const nodes = [
    newNode("Shape", [x], { outputs: [shape] }),
    newNode("Flatten", [x], { outputs: [matrix], attributes: [attribute.int("axis", axis)] }),
    {
      ...withAttributes(node, [attribute.int("axis", -1)]),
      inputs: [matrix],
      outputs: [result],
    },
    newNode("Reshape", [result, shape], {
      name: context.fresh("reshape"),
      outputs: [y],
      attributes: zeros ? [attribute.int("allowzero", 1)] : [],
    }),
  ];
  return zeros ? { nodes, version: 14 } : { nodes };
}

export const softmax: readonly UpgradeRule[] = ["Softmax", "LogSoftmax", "Hardmax"].map(flattened);
