// Affine maps, one factor and one summand a channel, as they stand around linear operators:
// multiplications and additions of constants, and batch normalisation of inference.

import { floatOf, type Node, type Shape } from "../../../../onnx/index.ts";
import type { Scene } from "../rule.ts";

/** y = scale * x + shift along one axis; one element stands for all channels. */
export interface Affine {
  /** The value x. */
  readonly input: string;
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** Operators that may be affine. */
export const AFFINE_OPERATORS = ["Mul", "Div", "Add", "Sub", "BatchNormalization"];

const ONE = Float64Array.of(1);
const ZERO = Float64Array.of(0);

/**
 * The node as an affine map along an axis of its output, counted from the front or, negative, from the
 * back; null where it is none, or has constants that vary along other axes.
 */
export function affineOf(node: Node, axis: number, scene: Scene): Affine | null {
  if (node.opType === "BatchNormalization") return axis === 1 ? normalisation(node, scene) : null;
  const [left = "", right = ""] = node.inputs;
  const shape = scene.shape(node.outputs[0] ?? "");
  if (shape === null) return null;
  const rank = shape.length;
  const along = axis < 0 ? axis + rank : axis;
  if (along < 0 || along >= rank) return null;
  const second = channels(right, shape, along, scene);
  const first = channels(left, shape, along, scene);
  const affine = ofOperands(node.opType, { left, right, first, second });
  // A constant of higher rank would give the result axes that the input has not.
  return affine !== null && scene.shape(affine.input)?.length === rank ? affine : null;
}

interface Operands {
  readonly left: string;
  readonly right: string;
  /** The operands as constants of one element a channel; null where they are not. */
  readonly first: Float64Array | null;
  readonly second: Float64Array | null;
}

function ofOperands(operator: string, { left, right, first, second }: Operands): Affine | null {
  switch (operator) {
    case "Mul": {
      if (second !== null) return { input: left, scale: second, shift: ZERO };
      return first === null ? null : { input: right, scale: first, shift: ZERO };
    }
    case "Div":
      return second === null
        ? null
        : { input: left, scale: second.map((value) => 1 / value), shift: ZERO };
    case "Add": {
      if (second !== null) return { input: left, scale: ONE, shift: second };
      return first === null ? null : { input: right, scale: ONE, shift: first };
    }
    case "Sub": {
      if (second !== null) return { input: left, scale: ONE, shift: second.map((v) => -v) };
      return first === null ? null : { input: right, scale: Float64Array.of(-1), shift: first };
    }
    default:
      return null;
  }
}

/**
 * Elements of a constant, one a channel or one for all, that does not widen the result: aligned from
 * the back it has size 1 on every axis but the channels'.
 */
function channels(value: string, shape: Shape, axis: number, scene: Scene): Float64Array | null {
  const elements = scene.floats(value);
  const dims = scene.shape(value);
  if (elements === null || dims === null || dims.length > shape.length) return null;
  const offset = shape.length - dims.length;
  const fits = dims.every(
    (size, at) => size === 1 || (at + offset === axis && size === shape[axis]),
  );
  return fits && elements.every(Number.isFinite) ? Float64Array.from(elements) : null;
}

/** ONNX, BatchNormalization: y = scale (x - mean) / sqrt(variance + epsilon) + bias. */
function normalisation(node: Node, scene: Scene): Affine | null {
  const isInference = node.outputs.slice(1).every((output) => output === "");
  const [input = "", ...rest] = node.inputs;
  const [scale, bias, mean, variance] = rest.map((value) => scene.floats(value));
  if (!isInference || !scale || !bias || !mean || !variance) return null;
  const epsilon = floatOf(node, "epsilon", 1e-5);
  const factor = Float64Array.from(
    scale,
    (of, at) => of / Math.sqrt((variance[at] ?? 0) + epsilon),
  );
  const shift = factor.map((of, at) => (bias[at] ?? 0) - of * (mean[at] ?? 0));
  const finite = factor.every(Number.isFinite) && shift.every(Number.isFinite);
  return finite ? { input, scale: factor, shift } : null;
}

/** The element of a channel, where one may stand for all. */
export const at = (elements: Float64Array, channel: number): number =>
  elements[elements.length === 1 ? 0 : channel] ?? 0;

/** Whether every element is this number. */
export const isAll = (elements: Float64Array, value: number): boolean =>
  elements.every((of) => of === value);
