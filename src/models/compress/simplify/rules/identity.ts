// Operators that hand on their input unchanged.

import { intsOf, type Node, type Shape, sameSize } from "../../../../onnx/index.ts";
import type { Rule, Scene } from "../rule.ts";

export const dropIdentities: Rule = {
  name: "drop-identities",
  fidelity: "exact",
  operators: [
    ...["Identity", "Dropout", "Cast", "Transpose", "Reshape", "Flatten", "Squeeze", "Unsqueeze"],
    ...[
      "Expand",
      "Slice",
      "Pad",
      "Concat",
      "Sum",
      "Max",
      "Min",
      "Mean",
      "Mul",
      "Div",
      "Sub",
      "Clip",
    ],
  ],
  apply(node, scene) {
    const value = unchangedInput(node, scene);
    if (value === null || value === "") return null;
    return scene.editor.bypass(node, value) ? `was "${value}" unchanged` : null;
  },
};

/** The input that the node's only read output equals bit for bit; null where there is none. */
function unchangedInput(node: Node, scene: Scene): string | null {
  const [input = "", second = ""] = node.inputs;
  switch (node.opType) {
    case "Identity":
      return input;
    case "Dropout":
      return isInferenceDropout(node, scene) ? input : null;
    case "Cast": {
      const [from, to] = [scene.type(input), scene.type(node.outputs[0] ?? "")];
      return from?.elementType != null && from.elementType === to?.elementType ? input : null;
    }
    case "Transpose": {
      const permutation = intsOf(node, "perm", null);
      return permutation?.every((axis, at) => axis === at) ? input : null;
    }
    case "Reshape":
    case "Flatten":
    case "Squeeze":
    case "Unsqueeze":
    case "Expand":
      return keepsShape(node, scene) ? input : null;
    case "Slice":
      return keepsShape(node, scene) && goesForward(node, scene) ? input : null;
    case "Pad":
      return scene.integers(second)?.every((pad) => pad === 0) ? input : null;
    case "Clip":
      return node.inputs.slice(1).every((bound) => bound === "") && scene.opset >= 11
        ? input
        : null;
    case "Concat":
    case "Sum":
    case "Max":
    case "Min":
    case "Mean":
      return node.inputs.length === 1 ? input : null;
    default:
      return neutralOperand(node, scene);
  }
}

/** From opset 7 on a Dropout does nothing unless it is told to train. */
function isInferenceDropout(node: Node, { editor, opset }: Scene): boolean {
  const [, mask = ""] = node.outputs;
  if (mask !== "" && (editor.isOutput(mask) || editor.readers(mask).length > 0)) return false;
  const training = node.inputs[2] ?? "";
  return training === "" ? opset >= 7 : isFalse(training, editor);
}

function isFalse(value: string, editor: Scene["editor"]): boolean {
  const tensor = editor.constant(value);
  if (tensor === null) return false;
  const { data } = tensor;
  if (data.kind === "raw") return data.payload.bytes().every((byte) => byte === 0);
  return data.kind === "int32" && data.values.every((item) => item === 0);
}

function keepsShape(node: Node, scene: Scene): boolean {
  const before = scene.shape(node.inputs[0] ?? "");
  const after = scene.shape(node.outputs[0] ?? "");
  return before !== null && after !== null && sameShape(before, after);
}

const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((size, axis) => sameSize(size, b[axis] ?? -1));

function goesForward(node: Node, scene: Scene): boolean {
  const steps = node.inputs[4] ?? "";
  return steps === "" || (scene.integers(steps)?.every((step) => step > 0) ?? false);
}

/** The other operand of `x * 1`, `x / 1` and `x - 0`, where it has the shape of the result. */
function neutralOperand(node: Node, scene: Scene): string | null {
  const [left = "", right = ""] = node.inputs;
  const neutral = node.opType === "Sub" ? 0 : 1;
  const isNeutral = (value: string): boolean =>
    scene.floats(value)?.every((item) => Object.is(item, neutral)) ?? false;
  const shape = scene.shape(node.outputs[0] ?? "");
  const fits = (value: string): boolean => {
    const of = scene.shape(value);
    return shape !== null && of !== null && sameShape(of, shape);
  };
  if (isNeutral(right) && fits(left)) return left;
  return node.opType === "Mul" && isNeutral(left) && fits(right) ? right : null;
}
