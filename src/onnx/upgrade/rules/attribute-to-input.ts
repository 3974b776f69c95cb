// Operators whose integers moved from an attribute to an input, meaning the same: Squeeze, Unsqueeze,
// ReduceSum and Split at opset 13, Slice and TopK at 10, the other reductions at 18.

import { withoutAttributes } from "../../attributes.ts";
import type { Attribute, Node } from "../../model.ts";
import { ModelError } from "../../model-error.ts";
import { int64s } from "../../tensor-of.ts";
import { type RuleContext, type UpgradeRule, withoutTrailingBlanks } from "../rule.ts";

/** The attributes that become inputs, in the order of the inputs after the first. */
function moved(operator: string, version: number, attributes: readonly string[]): UpgradeRule {
  return {
    operator,
    version,
    rewrite: (node, context) => ({ nodes: [withInputs(node, attributes, context)] }),
  };
}

function withInputs(node: Node, attributes: readonly string[], context: RuleContext): Node {
  const stored = attributes.map((name): string => {
    const attribute = node.attributes.find((of) => of.name === name);
    const values = attribute === undefined ? [] : integers(attribute);
    // Left out and empty mean the same in the attribute: the operator's default.
    return values.length === 0 ? "" : context.store(name, int64s(name, values));
  });
  const inputs = withoutTrailingBlanks([node.inputs[0] ?? "", ...stored]);
  return { ...withoutAttributes(node, ...attributes), inputs };
}

function integers(attribute: Attribute): readonly bigint[] {
  if (attribute.kind === "ints") return attribute.value;
  if (attribute.kind === "int") return [attribute.value];
  throw new ModelError(`attribute "${attribute.name}" is of kind ${attribute.kind}`, "");
}

const REDUCTIONS = [
  "ReduceL1",
  "ReduceL2",
  "ReduceLogSum",
  "ReduceLogSumExp",
  "ReduceMax",
  "ReduceMean",
  "ReduceMin",
  "ReduceProd",
  "ReduceSumSquare",
];

export const attributeToInput: readonly UpgradeRule[] = [
  moved("Squeeze", 13, ["axes"]),
  moved("Unsqueeze", 13, ["axes"]),
  moved("ReduceSum", 13, ["axes"]),
  moved("Split", 13, ["split"]),
  moved("Slice", 10, ["starts", "ends", "axes"]),
  moved("TopK", 10, ["k"]),
  ...REDUCTIONS.map((operator) => moved(operator, 18, ["axes"])),
];
