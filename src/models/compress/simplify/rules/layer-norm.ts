// Layer normalisation written out (Ba et al. 2016, arXiv 1607.06450) becomes the operator of opset 17.

import {
  attribute,
  intOf,
  intsOf,
  type Node,
  type Shape,
  tensorOf,
} from "../../../../onnx/index.ts";
import { nodeOf } from "../../node-of.ts";
import type { Rule, Scene } from "../rule.ts";
import { scalarOf, withScalar } from "./scalar.ts";

/** (x - mean(x)) / sqrt(mean((x - mean(x))^2) + epsilon), with scale and bias where they follow. */
export const fuseLayerNorm: Rule = {
  name: "fuse-layer-norm",
  fidelity: "reordered",
  operators: ["Div"],
  apply(node, scene) {
    const core = scene.opset < 17 ? null : normalised(node, scene);
    if (core === null) return null;
    const { editor } = scene;
    const size = core.normalised.reduce<number>((product, of) => product * Number(of), 1);
    const scaled = operandAfter(node, "Mul", core.normalised, scene);
    const shifted =
      scaled === null ? null : operandAfter(scaled.node, "Add", core.normalised, scene);
    const ones = (): string =>
      editor.store(
        `${node.outputs[0]}/scale`,
        tensorOf("float32", { dims: core.normalised as number[], values: Array(size).fill(1) }),
      );
    const scale = scaled === null ? ones() : scaled.constant;
    const last = shifted?.node ?? scaled?.node ?? node;
    const inputs = [core.input, scale, ...(shifted === null ? [] : [shifted.constant])];
    const attributes = [
      attribute.int("axis", -core.normalised.length),
      attribute.float("epsilon", Math.fround(core.epsilon)),
    ];
    if (scaled !== null) editor.remove(node);
    if (shifted !== null && scaled !== null) editor.remove(scaled.node);
    editor.replace(
      last,
      nodeOf("LayerNormalization", inputs, { outputs: last.outputs, attributes }),
    );
    return "became LayerNormalization";
  },
};

interface Normalised {
  readonly input: string;
  /** Sizes of the last axes, over which the mean is taken. */
  readonly normalised: Shape;
  readonly epsilon: number;
}

/** What a division normalises; null for other divisions. */
function normalised(node: Node, scene: Scene): Normalised | null {
  const { editor } = scene;
  const [deviation = "", root = ""] = node.inputs;
  const centred = centredOf(deviation, scene);
  const sqrt = editor.producer(root);
  if (centred === null || sqrt?.opType !== "Sqrt" || editor.soleReader(root) !== node) return null;
  const sum = editor.producer(sqrt.inputs[0] ?? "");
  if (sum?.opType !== "Add" || editor.soleReader(sqrt.inputs[0] ?? "") !== sqrt) return null;
  const operands = withScalar(sum, scene);
  if (operands === null || !(operands.scalar > 0)) return null;
  const variance = lastAxesMean(operands.value, scene);
  if (variance === null || editor.soleReader(operands.value) !== sum) return null;
  if (!isSquare(variance.input, deviation, scene)) return null;
  const { input, count } = centred;
  if (variance.count !== count || scene.type(input)?.elementType !== "float32") return null;
  const sizes = scene.shape(input)?.slice(-count) ?? [];
  if (!sizes.every((size) => typeof size === "number")) return null;
  return { input, normalised: sizes, epsilon: operands.scalar };
}

/** x where the value is x - mean(x), and the number of last axes of that mean. */
function centredOf(value: string, scene: Scene): { input: string; count: number } | null {
  const node = scene.editor.producer(value);
  if (node?.opType !== "Sub") return null;
  const [input = "", meanName = ""] = node.inputs;
  const mean = lastAxesMean(meanName, scene);
  return mean?.input === input ? { input, count: mean.count } : null;
}

/** A mean over the last axes that keeps them with size 1. */
function lastAxesMean(value: string, scene: Scene): { input: string; count: number } | null {
  const node = scene.editor.producer(value);
  if (node?.opType !== "ReduceMean" || intOf(node, "keepdims", 1) !== 1) return null;
  const [input = "", axesName = ""] = node.inputs;
  const axes = axesName === "" ? intsOf(node, "axes", null) : scene.integers(axesName);
  const rank = scene.shape(input)?.length;
  if (axes === null || axes.length === 0 || rank === undefined) return null;
  const sorted = axes.map((axis) => (axis < 0 ? axis : axis - rank)).sort((a, b) => b - a);
  return sorted.every((axis, at) => axis === -1 - at) ? { input, count: axes.length } : null;
}

function isSquare(value: string, of: string, scene: Scene): boolean {
  const node = scene.editor.producer(value);
  if (node?.opType === "Mul") return node.inputs.every((input) => input === of);
  return (
    node?.opType === "Pow" && node.inputs[0] === of && scalarOf(node.inputs[1] ?? "", scene) === 2
  );
}

/** The only reader, where it multiplies with or adds a constant over the normalised axes. */
function operandAfter(
  node: Node,
  opType: string,
  sizes: Shape,
  scene: Scene,
): { readonly node: Node; readonly constant: string } | null {
  const [output = ""] = node.outputs;
  const reader = scene.editor.soleReader(output);
  if (reader?.opType !== opType) return null;
  const constant = reader.inputs.find((input) => input !== output) ?? "";
  const dims = scene.floats(constant) === null ? null : scene.shape(constant);
  const fits = dims?.length === sizes.length && dims.every((size, axis) => size === sizes[axis]);
  return fits ? { node: reader, constant } : null;
}
