// What a rule of an operator can ask and say while the axes of a graph are coupled.

import type { Node, Shape } from "../../../onnx/index.ts";
import type { AxisRef } from "./coupling.ts";

/** What a stored tensor's axis is to the node that reads it. */
export type Role =
  /** Its indices make the output's. */
  | "produces"
  /** Its indices are summed over with the input's. */
  | "consumes"
  /** A factor of each channel, as in a normalisation. */
  | "scales";

/** One node, its values' shapes, and the coupling that grows. */
export interface Relating {
  readonly node: Node;
  /** Null where the rank is not known. */
  shape(value: string): Shape | null;
  /** The elements of a constant of integers; null where they are not known. */
  integers(value: string): readonly number[] | null;
  /** Index by index, where both axes are of one size; an axis of size 1 is broadcast and says nothing. */
  same(a: AxisRef, b: AxisRef): void;
  /** Index i of one axis with index `to(i)` of the other; null where there is none. */
  map(from: AxisRef, onto: AxisRef, to: (index: number) => number | null): void;
  /** One index of an axis with one of another. */
  join(a: readonly [AxisRef, number], b: readonly [AxisRef, number]): void;
  /** The indices of each block of an axis stand or fall together. */
  blocks(ref: AxisRef, length: number): void;
  freeze(ref: AxisRef, reason: string): void;
  /** Freezes every axis of a value. */
  freezeValue(value: string, reason: string): void;
  /** Notes that a normalisation averages over the axis: what is removed changes all that is kept. */
  normalised(ref: AxisRef): void;
  /** Whether every index of an axis must be kept; an axis of size 1 or without a fixed size must. */
  isFixed(ref: AxisRef): boolean;
  /** Notes what the axis of a value is for the node. */
  role(ref: AxisRef, role: Role): void;
}

/** How a node changes when axes of its values become shorter. */
export interface Rewriting {
  readonly node: Node;
  shape(value: string): Shape | null;
  integers(value: string): readonly number[] | null;
  /** Indices that are kept of an axis, rising; null where all are. */
  kept(ref: AxisRef): readonly number[] | null;
  /** A stored list of integers; gives its name. */
  store(values: readonly number[]): string;
}

/** What an operator does to axes. */
export interface Rule {
  /** Throws `Unfollowed` where the node cannot be followed: then all its axes are frozen. */
  relate(at: Relating): void;
  /** The node after removal, where more changes than the tensors it reads. */
  rewrite?(at: Rewriting): Node;
}

/** A node that cannot be followed, and why. */
export class Unfollowed extends Error {
  override readonly name = "Unfollowed";
}

/** The shape, or an end to following. */
export function shapeOf(at: Pick<Relating, "shape">, value: string): Shape {
  const shape = at.shape(value);
  if (shape === null) throw new Unfollowed(`the rank of "${value}" is not known`);
  return shape;
}

/** An axis counted from the front. */
export const fromFront = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);
