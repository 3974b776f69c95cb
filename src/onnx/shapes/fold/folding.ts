// Small tensors of sizes, worked out without running anything: what shape-computing sub-graphs do.

import type { DataType } from "../../model.ts";
import { type InferredType, type Item, shapeOfType } from "../inferred-type.ts";
import { type Operand, type Operation, operandAt } from "../operation.ts";

/** Which output is wanted, and what is known of it. */
interface FoldTarget {
  readonly index: number;
  readonly shape: readonly number[];
  readonly elementType: DataType | null;
}

/** The elements of an output, row by row; null when not even some of them are known. */
export type Fold = (operation: Operation, target: FoldTarget) => readonly Item[] | null;

export type Folds = Readonly<Record<string, Fold>>;

/** A small tensor: its elements row by row. */
export interface Known {
  readonly shape: readonly number[];
  readonly items: readonly Item[];
}

/** An input as a small tensor; null when its shape or elements are not known. */
export function knownAt(operation: Operation, index: number): Known | null {
  return knownOf(operandAt(operation, index));
}

function knownOf(operand: Operand): Known | null {
  const shape = wholeShape(operand.type);
  const items = shape === null ? null : operand.items();
  return shape === null || items === null ? null : { shape, items };
}

/** A shape without symbols; null when it has some or is not known. */
export function wholeShape(type: InferredType): readonly number[] | null {
  const shape = shapeOfType(type);
  const numbers = shape?.filter((size) => typeof size === "number");
  return numbers === undefined || numbers.length !== shape?.length ? null : numbers;
}

/** The elements of a tensor of this shape, each found from its coordinates. */
export function generate(
  shape: readonly number[],
  at: (coordinates: readonly number[]) => Item | undefined,
): readonly Item[] {
  const count = shape.reduce((product, size) => product * size, 1);
  return Array.from({ length: count }, (_, flat) => at(coordinatesOf(flat, shape)) ?? null);
}

export function coordinatesOf(flat: number, shape: readonly number[]): readonly number[] {
  let rest = flat;
  return shape
    .toReversed()
    .map((size) => {
      const coordinate = rest % size;
      rest = Math.floor(rest / size);
      return coordinate;
    })
    .reverse();
}

export function elementAt(known: Known, coordinates: readonly number[]): Item {
  let flat = 0;
  for (const [axis, size] of known.shape.entries()) flat = flat * size + (coordinates[axis] ?? 0);
  return known.items[flat] ?? null;
}

/** The element that broadcasting puts at these coordinates of a result. */
export function broadcastElement(known: Known, coordinates: readonly number[]): Item {
  const skipped = coordinates.length - known.shape.length;
  return elementAt(
    known,
    known.shape.map((size, axis) => (coordinates[axis + skipped] ?? 0) % size),
  );
}
