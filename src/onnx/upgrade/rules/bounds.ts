// Clip and Pad at opset 11: numbers of the element type moved from attributes to inputs.

import { attributeOf, floatOf, withoutAttributes } from "../../attributes.ts";
import type { Attribute, DataType, Node } from "../../model.ts";
import { int64s, tensorOf } from "../../tensor-of.ts";
import {
  type Refusal,
  type RuleContext,
  refuse,
  type UpgradeRule,
  withoutTrailingBlanks,
} from "../rule.ts";

const FLOATS: readonly string[] = ["float16", "float32", "float64"] satisfies readonly DataType[];

/** A bound that is left out is no bound, as the old defaults (the ends of float32) say in effect. */
const clip: UpgradeRule = {
  operator: "Clip",
  version: 11,
  rewrite(node, context) {
    const bounds = ["min", "max"].map((name) => scalar(node, name, context));
    const refusal = bounds.find((bound) => typeof bound !== "string");
    if (refusal !== undefined && typeof refusal !== "string") return refusal;
    const inputs = withoutTrailingBlanks([node.inputs[0] ?? "", ...(bounds as readonly string[])]);
    return { nodes: [{ ...withoutAttributes(node, "min", "max"), inputs }] };
  },
};

const pad: UpgradeRule = {
  operator: "Pad",
  version: 11,
  rewrite(node, context) {
    const pads: Attribute | null = attributeOf(node, "pads");
    if (pads?.kind !== "ints") return refuse("it has no pads", "Repair the model first.");
    const value = floatOf(node, "value", 0) === 0 ? "" : scalar(node, "value", context);
    if (typeof value !== "string") return value;
    const amounts = context.store("pads", int64s("pads", pads.value));
    const inputs = withoutTrailingBlanks([node.inputs[0] ?? "", amounts, value]);
    return { nodes: [{ ...withoutAttributes(node, "pads", "value"), inputs }] };
  },
};

/** Stores a float attribute as a scalar of the node's element type; "" when it is left out. */
function scalar(node: Node, name: string, context: RuleContext): string | Refusal {
  const value = floatOf(node, name, null);
  if (value === null) return "";
  const type = context.type(node.inputs[0] ?? "");
  if (type === null || !FLOATS.includes(type)) {
    return refuse(
      `the element type of its input, which ${name} must have, is not known`,
      "State the types of values in the model (shape inference), then upgrade.",
    );
  }
  return context.store(name, tensorOf(type as DataType, { dims: [], values: [value] }));
}

export const bounds: readonly UpgradeRule[] = [clip, pad];
