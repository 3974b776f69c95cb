// Zeros that a Pad puts around a picture before a convolution are the convolution's own padding.

import { attribute, intsOf, type Node, textOf, withAttributes } from "../../../../onnx/index.ts";
import { labelOf } from "../label.ts";
import type { Rule, Scene } from "../rule.ts";
import { scalarOf } from "./scalar.ts";

export const foldPad: Rule = {
  name: "fold-pad",
  fidelity: "reordered",
  operators: ["Pad"],
  apply(node, scene) {
    const { editor } = scene;
    const [input = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const reader = editor.soleReader(output);
    if (reader === null || reader.inputs[0] !== output || !takesZeros(reader)) return null;
    const pads = zeroPads(node, scene);
    if (pads === null) return null;
    const own = intsOf(reader, "pads", null) ?? pads.map(() => 0);
    if (own.length !== pads.length) return null;
    const sum = own.map((pad, at) => pad + (pads[at] ?? 0));
    const [, ...others] = reader.inputs;
    editor.remove(node);
    editor.replace(
      reader,
      withAttributes({ ...reader, inputs: [input, ...others] }, [attribute.ints("pads", sum)]),
    );
    return `folded into ${reader.opType} "${labelOf(reader)}"`;
  },
};

/** Where padding is stated in numbers. Pooling would not count the zeros as values. */
const takesZeros = (node: Node): boolean =>
  node.opType === "Conv" && textOf(node, "auto_pad", "NOTSET") === "NOTSET";

/** Padding with zeros of all axes but batch and channels, starts before ends; null for any other. */
function zeroPads(node: Node, scene: Scene): readonly number[] | null {
  const [, padsName = "", valueName = "", axes = ""] = node.inputs;
  const pads = scene.integers(padsName);
  if (scene.opset < 11 || pads === null || axes !== "") return null;
  if (textOf(node, "mode", "constant") !== "constant") return null;
  if (valueName !== "" && scalarOf(valueName, scene) !== 0) return null;
  const rank = pads.length / 2;
  const isSpatial = (at: number): boolean => at % rank >= 2;
  if (pads.some((pad, at) => pad < 0 || (!isSpatial(at) && pad !== 0))) return null;
  return pads.filter((_, at) => isSpatial(at));
}
