// GELU written out (Hendrycks & Gimpel 2016, arXiv 1606.08415) becomes the operator of opset 20.

import { attribute, type Node } from "../../../../onnx/index.ts";
import { nodeOf } from "../../node-of.ts";
import type { Rule, Scene } from "../rule.ts";
import { factorOf, isNear, scalarOf, withScalar } from "./scalar.ts";

/** x/2 (1 + erf(x / sqrt 2)), and x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), in any order. */
export const fuseGelu: Rule = {
  name: "fuse-gelu",
  fidelity: "reordered",
  operators: ["Mul", "Div"],
  apply(node, scene) {
    if (scene.opset < 20) return null;
    const { editor } = scene;
    const product = productOf(node, scene);
    if (product === null || product.values.length !== 2) return null;
    for (const [gate = "", input = ""] of [product.values, product.values.toReversed()]) {
      const kind = gateKind(gate, input, scene);
      if (kind === null || !isNear(product.factor, 0.5)) continue;
      for (const inner of product.nodes) editor.remove(inner);
      const attributes = kind === "tanh" ? [attribute.text("approximate", "tanh")] : [];
      editor.replace(node, nodeOf("Gelu", [input], { outputs: node.outputs, attributes }));
      return "became Gelu";
    }
    return null;
  },
};

interface Product {
  readonly factor: number;
  readonly values: readonly string[];
  /** Nodes that make the factors' products and are read by nothing else. */
  readonly nodes: readonly Node[];
}

/** A tree of multiplications as one factor and the values that are no constants. */
function productOf(node: Node, scene: Scene): Product | null {
  const { editor } = scene;
  const factor = factorOf(node, scene);
  const operands = factor === null ? node.inputs : [factor.value];
  if (factor === null && node.opType !== "Mul") return null;
  let product: Product = { factor: factor?.scalar ?? 1, values: [], nodes: [] };
  for (const operand of operands) {
    const maker = editor.producer(operand);
    const inner =
      maker !== null && editor.soleReader(operand) !== null && /^(Mul|Div)$/.test(maker.opType)
        ? productOf(maker, scene)
        : null;
    product =
      inner === null || maker === null
        ? { ...product, values: [...product.values, operand] }
        : {
            factor: product.factor * inner.factor,
            values: [...product.values, ...inner.values],
            nodes: [...product.nodes, maker, ...inner.nodes],
          };
  }
  return product.values.length > 2 ? null : product;
}

/** Which GELU the value is 1 + erf or 1 + tanh of. */
function gateKind(gate: string, input: string, scene: Scene): "erf" | "tanh" | null {
  const { editor } = scene;
  const sum = editor.producer(gate);
  if (sum?.opType !== "Add" || editor.soleReader(gate) === null) return null;
  const operands = withScalar(sum, scene);
  if (operands?.scalar !== 1 || editor.soleReader(operands.value) === null) return null;
  const curve = editor.producer(operands.value);
  const scaled = factorOf(editor.producer(curve?.inputs[0] ?? ""), scene);
  if (scaled === null) return null;
  if (curve?.opType === "Erf") {
    return scaled.value === input && isNear(scaled.scalar, Math.SQRT1_2) ? "erf" : null;
  }
  if (curve?.opType !== "Tanh" || !isNear(scaled.scalar, Math.sqrt(2 / Math.PI))) return null;
  return isCubic(scaled.value, input, scene) ? "tanh" : null;
}

/** Whether the value is x + 0.044715 x^3. */
function isCubic(value: string, input: string, scene: Scene): boolean {
  const sum = scene.editor.producer(value);
  if (sum?.opType !== "Add" || !sum.inputs.includes(input)) return false;
  const cubic = sum.inputs.find((operand) => operand !== input) ?? "";
  const scaled = factorOf(scene.editor.producer(cubic), scene);
  return scaled !== null && isNear(scaled.scalar, 0.044715) && isCube(scaled.value, input, scene);
}

function isCube(value: string, input: string, scene: Scene): boolean {
  const node = scene.editor.producer(value);
  if (node?.opType === "Pow") {
    return node.inputs[0] === input && scalarOf(node.inputs[1] ?? "", scene) === 3;
  }
  if (node?.opType !== "Mul" || !node.inputs.includes(input)) return false;
  const square = scene.editor.producer(node.inputs.find((operand) => operand !== input) ?? "");
  return square?.opType === "Mul" && square.inputs.every((operand) => operand === input);
}
