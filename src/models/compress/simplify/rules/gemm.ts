// A product with a bias behind it is one Gemm where the input has two axes, as ONNX Runtime also finds;
// in 8 bits only if the file says so.

import { nodeOf } from "../../node-of.ts";
import type { Rule } from "../rule.ts";

export const fuseGemm: Rule = {
  name: "fuse-gemm",
  fidelity: "reordered",
  operators: ["Add"],
  apply(node, scene) {
    const { editor } = scene;
    for (const input of node.inputs) {
      const product = editor.producer(input);
      if (product?.opType !== "MatMul" || editor.soleReader(input) !== node) continue;
      const [a = "", b = ""] = product.inputs;
      const bias = node.inputs.find((other) => other !== input) ?? "";
      const dims = scene.floats(b) === null ? null : scene.shape(b);
      if (scene.shape(a)?.length !== 2 || dims?.length !== 2) continue;
      if (scene.floats(bias)?.length !== dims[1] || scene.shape(bias)?.at(-1) !== dims[1]) continue;
      if ((scene.shape(bias)?.length ?? 0) > 2) continue;
      editor.remove(product);
      const name = product.name || node.name || (node.outputs[0] ?? "");
      editor.replace(node, nodeOf("Gemm", [a, b, bias], { outputs: node.outputs, name }));
      return "became one Gemm with the product before it";
    }
    return null;
  },
};
