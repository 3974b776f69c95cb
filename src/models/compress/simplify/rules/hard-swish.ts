// Hard sigmoid and hard swish (Howard et al. 2019, arXiv 1905.02244, section 5.2) written out as
// Add, Clip, Mul and Div become HardSigmoid and one Mul. ONNX Runtime's CPU has no kernel of HardSwish:
// it takes it apart into just that.

import { attribute, type Node } from "../../../../onnx/index.ts";
import { nodeOf } from "../../node-of.ts";
import type { Rule, Scene } from "../rule.ts";
import { factorOf, isNear, scalarOf, withScalar } from "./scalar.ts";

/** min(max(x + shift, 0), limit) */
interface ClippedSum {
  readonly input: string;
  readonly shift: number;
  readonly limit: number;
}

/** clip(x + b, 0, m) / m = HardSigmoid(x) with alpha = 1/m, beta = b/m. */
export const fuseHardSigmoid: Rule = {
  name: "fuse-hard-sigmoid",
  fidelity: "reordered",
  operators: ["Mul", "Div"],
  apply(node, scene) {
    const factor = factorOf(node, scene);
    const clip = factor === null ? null : clippedSum(factor.value, scene);
    if (factor === null || clip === null || !isNear(factor.scalar * clip.limit, 1)) return null;
    scene.editor.replace(node, hardSigmoid(clip, node.outputs));
    return "became HardSigmoid";
  },
};

/** x clip(x + b, 0, m) / m = x HardSigmoid(x), whichever of the two is divided. */
export const fuseHardSwish: Rule = {
  name: "fuse-hard-swish",
  fidelity: "reordered",
  operators: ["Mul", "Div"],
  apply(node, scene) {
    const { editor } = scene;
    const factor = factorOf(node, scene);
    const product = factor === null ? null : editor.producer(factor.value);
    if (factor === null || product?.opType !== "Mul") return null;
    if (editor.soleReader(factor.value) !== node) return null;
    for (const side of [0, 1]) {
      const clip = clippedSum(product.inputs[side] ?? "", scene);
      if (clip === null || !isNear(factor.scalar * clip.limit, 1)) continue;
      const gate = editor.fresh(`${node.outputs[0]}/gate`);
      const other = product.inputs[1 - side] ?? "";
      editor.remove(product);
      editor.replace(
        node,
        hardSigmoid(clip, [gate]),
        nodeOf("Mul", [other, gate], { outputs: node.outputs }),
      );
      return "became HardSigmoid and Mul";
    }
    return null;
  },
};

function hardSigmoid({ input, shift, limit }: ClippedSum, outputs: readonly string[]): Node {
  const attributes = [
    attribute.float("alpha", Math.fround(1 / limit)),
    attribute.float("beta", Math.fround(shift / limit)),
  ];
  return nodeOf("HardSigmoid", [input], { outputs, attributes });
}

/** The value as a clipped sum that nothing else reads. */
function clippedSum(value: string, scene: Scene): ClippedSum | null {
  const { editor, opset } = scene;
  const clip = editor.producer(value);
  if (clip?.opType !== "Clip" || opset < 11 || editor.soleReader(value) === null) return null;
  const [sum = "", low = "", high = ""] = clip.inputs;
  const limit = scalarOf(high, scene);
  if (scalarOf(low, scene) !== 0 || limit === null || !(limit > 0)) return null;
  const add = editor.producer(sum);
  if (add?.opType !== "Add" || editor.soleReader(sum) === null) return null;
  const operands = withScalar(add, scene);
  if (operands === null || scene.type(operands.value)?.elementType !== "float32") return null;
  return { input: operands.value, shift: operands.scalar, limit };
}
