// What a gradient rule is: it is shown one node and the gradients of its outputs, and writes the
// gradients of its inputs (a vector-Jacobian product).

import type { Node, Tensor } from "../../../onnx/index.ts";
import type { Choose, Target } from "./lowering.ts";
import type { Value, Writer } from "./writer.ts";

/** A node at which the loss is differentiated. */
export interface Site {
  readonly node: Node;
  /** Writes into a scope of the node's name. */
  readonly write: Writer;
  readonly target: Target;
  /** The operand at an input. Throws when it is left out, or its sizes are not known. */
  input(index: number): Value;
  /** Whether an operand is given. */
  has(index: number): boolean;
  /** A result of the node. */
  output(index?: number): Value;
  /** The gradient of the loss by an output; null where the loss does not depend on it. */
  upstream(index: number): Value | null;
  /** The gradient by the first output, zeros where the loss does not depend on it. */
  readonly dy: Value;
  /** The same, for rules that need not multiply by its factor themselves. */
  readonly scaledDy: Scaled;
  /** The tensor of an input that never changes; null for others. */
  constant(index: number): Tensor | null;
  /** The numbers of an input that the rule must know. Throws when they are not constant. */
  numbers(index: number): readonly number[];
  /** Writes by the way chosen for this target and these sizes. */
  readonly choose: Choose;
  /** An error that names the node. */
  fault(message: string, hint: string): Error;
}

/**
 * A gradient that is still to be multiplied by one number a channel (axis 1). What reads it next often
 * can do that on something small, such as the weights of a convolution.
 */
export interface Scaled {
  readonly value: Value;
  /** [channels]; null for 1. */
  readonly factor: Value | null;
}

/** Writes the gradient by one input; asked only when something needs it. */
export type Gradient = () => Value | Scaled;

/** The gradients by the inputs, in their order; null where there is none (an index, a shape). */
export type Vjp = (site: Site) => readonly (Gradient | null)[];

/**
 * Lets a node of the forward pass give what its gradient reads, such as the places of the maxima.
 * `extra` makes names for added outputs.
 */
export type Prepare = (node: Node, extra: (suffix: string) => string, target: Target) => Node;

/** Rules by operator; those of other domains as `com.microsoft::Gelu`. */
export type Rules = Readonly<Record<string, Vjp>>;
