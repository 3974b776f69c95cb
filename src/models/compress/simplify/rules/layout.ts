// Chains of operators that only rearrange: several transpositions or changes of shape become one.

import {
  attribute,
  int64s,
  intsOf,
  type Shape,
  sameSize,
  withAttributes,
} from "../../../../onnx/index.ts";
import { nodeOf } from "../../node-of.ts";
import type { Rule } from "../rule.ts";

export const mergeTransposes: Rule = {
  name: "merge-transposes",
  fidelity: "exact",
  operators: ["Transpose"],
  apply(node, { editor }) {
    const [input = ""] = node.inputs;
    const before = editor.producer(input);
    if (before?.opType !== "Transpose" || editor.soleReader(input) !== node) return null;
    const [first, second] = [intsOf(before, "perm", null), intsOf(node, "perm", null)];
    if (first === null || second === null) return null;
    const both = second.map((axis) => first[axis] ?? 0);
    editor.remove(before);
    editor.replace(node, {
      ...withAttributes(node, [attribute.ints("perm", both)]),
      inputs: before.inputs,
    });
    return "merged with the transposition before it";
  },
};

const RESHAPING = ["Reshape", "Flatten", "Squeeze", "Unsqueeze"];

/** A change of shape right after another starts from what the first started from. */
export const mergeReshapes: Rule = {
  name: "merge-reshapes",
  fidelity: "exact",
  operators: RESHAPING,
  apply(node, scene) {
    const { editor } = scene;
    const [input = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const before = editor.producer(input);
    if (before === null || !RESHAPING.includes(before.opType)) return null;
    if (editor.soleReader(input) !== node) return null;
    const [source = ""] = before.inputs;
    const target = targetShape(scene.shape(source), scene.shape(output));
    if (target === null) return null;
    const shape = editor.store(`${output}/shape`, int64s("", target));
    editor.remove(before);
    editor.replace(node, nodeOf("Reshape", [source, shape], { outputs: node.outputs }));
    return "merged with the change of shape before it";
  },
};

/** A Reshape to sizes that are computed in every run, where they follow from the input's. */
export const fixReshape: Rule = {
  name: "fix-reshape",
  fidelity: "exact",
  operators: ["Reshape"],
  apply(node, scene) {
    const { editor } = scene;
    const [input = "", shapeName = ""] = node.inputs;
    const [output = ""] = node.outputs;
    if (editor.constant(shapeName) !== null) return null;
    const target = targetShape(scene.shape(input), scene.shape(output));
    if (target === null) return null;
    const shape = editor.store(`${output}/shape`, int64s("", target));
    editor.replace(node, nodeOf("Reshape", [input, shape], { outputs: node.outputs }));
    return "has its sizes stored";
  },
};

/**
 * A shape in Reshape's terms: sizes, 0 for one that the input has on the same axis, and at most one -1
 * for what is left, of which a run must have elements. Null where that does not say it all.
 */
function targetShape(from: Shape | null, to: Shape | null): readonly number[] | null {
  if (to === null) return null;
  const sizes = to.map((size, axis) => {
    if (typeof size === "number") return size;
    const same = from?.[axis];
    return same !== undefined && sameSize(same, size) ? 0 : -1;
  });
  // A true size of 0 would be read as a copy.
  if (to.includes(0)) return null;
  return sizes.filter((size) => size === -1).length <= 1 ? sizes : null;
}
