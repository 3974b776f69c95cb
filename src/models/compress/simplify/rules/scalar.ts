// Constants of one element, as they stand in formulas.

import type { Node } from "../../../../onnx/index.ts";
import type { Scene } from "../rule.ts";

/** A binary node of a value and a constant of one element. */
export interface WithScalar {
  readonly value: string;
  readonly scalar: number;
}

/** The element of a float32 constant that has just one; null for every other value. */
export function scalarOf(value: string, scene: Scene): number | null {
  const elements = scene.floats(value);
  return elements?.length === 1 ? (elements[0] ?? null) : null;
}

/** The node's value and its constant operand, on either side; null where it has none. */
export function withScalar(node: Node, scene: Scene): WithScalar | null {
  const [left = "", right = ""] = node.inputs;
  const second = scalarOf(right, scene);
  if (second !== null) return { value: left, scalar: second };
  const first = scalarOf(left, scene);
  return first === null ? null : { value: right, scalar: first };
}

/** The factor that a node multiplies with: `x * c` or `x / c`; null for other nodes. */
export function factorOf(node: Node | null, scene: Scene): WithScalar | null {
  if (node?.opType === "Mul") return withScalar(node, scene);
  if (node?.opType !== "Div") return null;
  const [value = "", divisor = ""] = node.inputs;
  const scalar = scalarOf(divisor, scene);
  return scalar === null ? null : { value, scalar: 1 / scalar };
}

/** Equal but for the rounding of constants that were written as float32. */
export const isNear = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * Math.abs(b);
