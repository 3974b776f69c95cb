// A positive factor behind a Relu is the same in front of it, where a linear operator can take it in.

import { nodeOf } from "../../node-of.ts";
import type { Rule } from "../rule.ts";
import { LINEAR_OPERATORS } from "./linear.ts";

export const moveFactorBeforeRelu: Rule = {
  name: "move-factor-before-relu",
  fidelity: "reordered",
  operators: ["Mul"],
  apply(node, scene) {
    const { editor } = scene;
    for (const input of node.inputs) {
      const relu = editor.producer(input);
      if (relu?.opType !== "Relu" || editor.soleReader(input) !== node) continue;
      const [value = ""] = relu.inputs;
      const before = editor.producer(value);
      if (before === null || !LINEAR_OPERATORS.includes(before.opType)) continue;
      const factor = node.inputs.find((other) => other !== input) ?? "";
      if (editor.soleReader(value) !== relu) continue;
      if (!scene.floats(factor)?.every((of) => of > 0)) continue;
      if (scene.shape(input)?.length !== scene.shape(node.outputs[0] ?? "")?.length) continue;
      const scaled = editor.fresh(`${value}/scaled`);
      editor.remove(relu);
      editor.replace(node, nodeOf("Mul", [value, factor], { outputs: [scaled] }), {
        ...relu,
        inputs: [scaled],
        outputs: node.outputs,
      });
      return `moved before Relu "${relu.name || input}"`;
    }
    return null;
  },
};
