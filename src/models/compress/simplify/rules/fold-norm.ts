// What multiplies or shifts the result of a layer normalisation by channel goes into its scale and bias.

import { intOf, tensorOf } from "../../../../onnx/index.ts";
import { labelOf } from "../label.ts";
import type { Rule } from "../rule.ts";
import { affineOf, at, isAll } from "./affine.ts";

export const foldIntoNormalisation: Rule = {
  name: "fold-into-normalisation",
  fidelity: "reordered",
  operators: ["Mul", "Div", "Add", "Sub"],
  apply(node, scene) {
    const { editor } = scene;
    for (const input of node.inputs) {
      const norm = editor.producer(input);
      if (norm?.opType !== "LayerNormalization" || editor.soleReader(input) !== node) continue;
      const rank = scene.shape(input)?.length;
      const axis = intOf(norm, "axis", -1);
      if (axis !== -1 && axis !== (rank ?? 0) - 1) continue;
      const affine = affineOf(node, -1, scene);
      const [value = "", scaleName = "", biasName = ""] = norm.inputs;
      const scale = scene.floats(scaleName);
      const bias = biasName === "" ? null : scene.floats(biasName);
      if (affine?.input !== input || scale === null || (biasName !== "" && bias === null)) continue;
      const dims = [scale.length];
      const scaled = scale.map((of, channel) => of * at(affine.scale, channel));
      const moved = scale.map(
        (_, channel) =>
          (bias?.[channel] ?? 0) * at(affine.scale, channel) + at(affine.shift, channel),
      );
      const inputs = [
        value,
        editor.store(scaleName, tensorOf("float32", { dims, values: scaled })),
      ];
      if (bias !== null || !isAll(affine.shift, 0)) {
        const name = biasName === "" ? `${scaleName}/bias` : biasName;
        inputs.push(editor.store(name, tensorOf("float32", { dims, values: moved })));
      }
      editor.remove(node);
      editor.replace(norm, { ...norm, inputs, outputs: node.outputs });
      return `folded into LayerNormalization "${labelOf(norm)}"`;
    }
    return null;
  },
};
