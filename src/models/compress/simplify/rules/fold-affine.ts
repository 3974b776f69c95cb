// Constants multiplied into the weights of the linear operator beside them: W' = a W, b' = a b + c
// (Jacob et al. 2018, arXiv 1712.05877, eq. 14, for batch normalisation).

import { type Node, tensorOf } from "../../../../onnx/index.ts";
import { labelOf } from "../label.ts";
import type { Rule, Scene } from "../rule.ts";
import { AFFINE_OPERATORS, type Affine, affineOf, at, isAll } from "./affine.ts";
import { LINEAR_OPERATORS, type Linear, linearOf } from "./linear.ts";

/** An affine map behind a linear operator goes into its weights. */
export const foldAffineBehind: Rule = {
  name: "fold-affine-behind",
  fidelity: "reordered",
  operators: AFFINE_OPERATORS,
  apply(node, scene) {
    const { editor } = scene;
    for (const input of node.inputs) {
      const producer = editor.producer(input);
      if (producer === null || !LINEAR_OPERATORS.includes(producer.opType)) continue;
      if (editor.soleReader(input) !== node) continue;
      const linear = linearOf(producer, scene);
      if (linear === null) continue;
      const affine = affineOf(node, linear.channelAxis, scene);
      if (affine?.input !== input) continue;
      const folded = scaledOutput(producer, linear, affine, scene);
      if (folded === null) continue;
      editor.remove(node);
      editor.replace(producer, { ...folded, outputs: node.outputs });
      return `folded into ${producer.opType} "${labelOf(producer)}"`;
    }
    return null;
  },
};

/** An affine map in front of a linear operator goes into its weights; a summand only without padding. */
export const foldAffineBefore: Rule = {
  name: "fold-affine-before",
  fidelity: "reordered",
  operators: AFFINE_OPERATORS,
  apply(node, scene) {
    const { editor } = scene;
    const [output = ""] = node.outputs;
    const reader = editor.soleReader(output);
    if (reader === null || !LINEAR_OPERATORS.includes(reader.opType)) return null;
    if (reader.inputs[0] !== output) return null;
    const linear = linearOf(reader, scene);
    if (linear === null) return null;
    const affine = affineOf(node, linear.channelAxis, scene);
    if (affine === null) return null;
    const folded = scaledInput(reader, linear, affine, scene);
    if (folded === null) return null;
    editor.remove(node);
    const [, ...weights] = folded.inputs;
    editor.replace(reader, { ...folded, inputs: [affine.input, ...weights] });
    return `folded into ${reader.opType} "${labelOf(reader)}"`;
  },
};

/**
 * A factor in front of a summand in front of a padded convolution: a x + c = a (x + c/a), where the
 * factor can then go into the weights.
 */
export const swapFactorAndSummand: Rule = {
  name: "swap-factor-and-summand",
  fidelity: "reordered",
  operators: ["Add"],
  apply(node, scene) {
    const { editor } = scene;
    const [output = ""] = node.outputs;
    const reader = editor.soleReader(output);
    if (reader?.opType !== "Conv" || reader.inputs[0] !== output) return null;
    const linear = linearOf(reader, scene);
    if (linear === null || linear.unpadded) return null;
    const sum = affineOf(node, 1, scene);
    const inner = sum === null ? null : editor.producer(sum.input);
    if (sum === null || inner === null || inner.opType === "BatchNormalization") return null;
    const product = affineOf(inner, 1, scene);
    if (product === null || !isAll(product.shift, 0) || isAll(product.scale, 1)) return null;
    if (editor.soleReader(sum.input) !== node) return null;
    const shift = divided(sum.shift, product.scale);
    if (!shift.every((value) => Number.isFinite(Math.fround(value)))) return null;
    const rank = scene.shape(output)?.length ?? 0;
    const dims = shift.length === 1 ? [] : [shift.length, ...Array(rank - 2).fill(1)];
    const name = editor.store(`${output}/summand`, tensorOf("float32", { dims, values: shift }));
    const between = sum.input;
    const factor = inner.inputs.find((input) => input !== product.input) ?? "";
    editor.replace(inner, {
      ...inner,
      opType: "Add",
      inputs: [product.input, name],
      outputs: [between],
    });
    editor.replace(node, {
      ...node,
      opType: inner.opType,
      inputs: inner.opType === "Div" ? [between, factor] : [factor, between],
    });
    return `adds before ${inner.opType} "${labelOf(inner)}" multiplies`;
  },
};

function divided(shift: Float64Array, scale: Float64Array): Float64Array {
  const length = Math.max(shift.length, scale.length);
  return Float64Array.from({ length }, (_, channel) => at(shift, channel) / at(scale, channel));
}

/** The node that computes `affine` of what the linear node computes. */
function scaledOutput(node: Node, linear: Linear, affine: Affine, scene: Scene): Node | null {
  const { weight, bias, outChannels } = linear;
  const { scale, shift } = affine;
  if (!isUnshared(node, scene) || !fits(affine, outChannels)) return null;
  const needsBias = bias !== null || !isAll(shift, 0);
  if (node.opType === "MatMul" && needsBias) return null;
  const scaled = new Float32Array(weight.length);
  for (let index = 0; index < weight.length; index++) {
    scaled[index] = (weight[index] ?? 0) * at(scale, linear.outChannel(index));
  }
  const moved = Float32Array.from(
    { length: outChannels },
    (_, channel) => at(scale, channel) * (bias?.[channel] ?? 0) + at(shift, channel),
  );
  return withWeights(node, linear, scaled, needsBias ? moved : null, scene);
}

/** The node that computes of x what the linear node computes of `affine(x)`. */
function scaledInput(node: Node, linear: Linear, affine: Affine, scene: Scene): Node | null {
  const { weight, bias, outChannels } = linear;
  const { scale, shift } = affine;
  if (!isUnshared(node, scene) || !fits(affine, linear.inChannels)) return null;
  const shifts = !isAll(shift, 0);
  if (shifts && (!linear.unpadded || node.opType === "MatMul")) return null;
  const scaled = new Float32Array(weight.length);
  for (let index = 0; index < weight.length; index++) {
    scaled[index] = (weight[index] ?? 0) * at(scale, linear.inChannel(index));
  }
  if (!shifts) return withWeights(node, linear, scaled, bias, scene);
  const moved = Float64Array.from({ length: outChannels }, (_, channel) => bias?.[channel] ?? 0);
  weight.forEach((of, index) => {
    const channel = linear.outChannel(index);
    moved[channel] = (moved[channel] ?? 0) + of * at(shift, linear.inChannel(index));
  });
  return withWeights(node, linear, scaled, Float32Array.from(moved), scene);
}

/** Weights that several nodes share stay shared: a changed copy would make the model larger. */
function isUnshared(node: Node, { editor }: Scene): boolean {
  const [, weight = ""] = node.inputs;
  return editor.stores(weight) && editor.readers(weight).length === 1 && !editor.isOutput(weight);
}

/** Whether the map has as many channels as the linear operator, or one for all. */
const fits = ({ scale, shift }: Affine, channels: number): boolean =>
  [scale, shift].every(({ length }) => length === 1 || length === channels);

function withWeights(
  node: Node,
  { dims, outChannels, bias: before }: Linear,
  weight: Float32Array,
  bias: Float32Array | null,
  { editor }: Scene,
): Node | null {
  if (!weight.every(Number.isFinite) || !(bias ?? []).every(Number.isFinite)) return null;
  const [input = "", weightName = "", biasName = ""] = node.inputs;
  const weightOf = editor.store(weightName, tensorOf("float32", { dims, values: weight }));
  if (bias === null) return { ...node, inputs: [input, weightOf] };
  if (bias === before) return { ...node, inputs: [input, weightOf, biasName] };
  const name = biasName === "" ? `${weightName}/bias` : biasName;
  const values = tensorOf("float32", { dims: [outChannels], values: bias });
  return { ...node, inputs: [input, weightOf, editor.store(name, values)] };
}
