// Slice: numpy's indexing with a start, an end and a step on each axis.
//
// With numbers the clamping is exact. With symbols one thing is assumed, as people do who write
// x[:, 1:-1]: a constant offset lies inside the tensor, so that this has W - 2 columns and not
// max(0, W - 2). A constant *length* is not assumed to be there: x[:, :64] has min(64, W).

import { add, leastValue, minimum, multiply, type Size, subtract } from "../dimension.ts";
import { ceilDivide } from "../dimension-division.ts";
import type { Item, Shape } from "../inferred-type.ts";
import { shapeOfType } from "../inferred-type.ts";
import {
  axisOf,
  axisSize,
  fault,
  hasInput,
  intsOf,
  itemsAt,
  notInferable,
  type Operation,
  type Rules,
  shapeAt,
  tensors,
} from "../operation.ts";
import { axesFrom } from "./layout.ts";

/** Positions at or beyond these mean "to the end", "from the start": exporters write them so. */
const FAR = 2 ** 31 - 1;

/** Which elements of an axis are taken. */
export interface Range {
  readonly start: Size;
  readonly end: Size;
  readonly step: number;
}

/** How many elements of an axis of this size are taken. */
export function sliceLength(size: Size, { start, end, step }: Range): Size {
  if (typeof size === "number" && typeof start === "number" && typeof end === "number") {
    const [from, to] = positions(size, { start, end, step });
    return Math.max(0, Math.ceil((to - from) / step));
  }
  return step > 0 ? forward(size, { start, end, step }) : backward(size, { start, end, step });
}

/** Start and end, counted from the front and clamped (onnx, docs/Operators.md, Slice). */
export function positions(
  size: number,
  { start, end, step }: { readonly start: number; readonly end: number; readonly step: number },
): readonly [number, number] {
  const clamp = (value: number, least: number, most: number): number =>
    Math.min(Math.max(value < 0 ? value + size : value, least), most);
  return step > 0
    ? [clamp(start, 0, size), clamp(end, 0, size)]
    : [clamp(start, 0, size - 1), end < -size ? -1 : clamp(end, -1, size - 1)];
}

function forward(size: Size, { start, end, step }: Range): Size {
  const toEnd = typeof end === "number" && end >= FAR;
  const fromBack = isNegative(start);
  if (fromBack && toEnd) return ceilDivide(smaller(size, multiply(start, -1)), step);
  const from = fromBack ? add(size, start) : start;
  const rest = subtract(size, from);
  if (toEnd) return atLeastZero(ceilDivide(rest, step));
  const length = isNegative(end)
    ? subtract(add(size, end), from)
    : smaller(rest, subtract(end, from));
  return atLeastZero(ceilDivide(length, step));
}

function backward(size: Size, { start, end, step }: Range): Size {
  const last = subtract(size, 1);
  const from = isNegative(start) ? add(size, start) : smaller(last, start);
  if (typeof end === "number" && end <= -FAR) return ceilDivide(add(from, 1), -step);
  const to = isNegative(end) ? add(size, end) : end;
  return atLeastZero(ceilDivide(subtract(from, to), -step));
}

const isNegative = (size: Size): boolean =>
  typeof size === "number" ? size < 0 : leastValue(multiply(size, -1)) >= 0;

/** The minimum of two sizes of axes, which are at least 1 wherever that decides. */
function smaller(a: Size, b: Size): Size {
  if (leastValue(subtract(a, b), 1) >= 0) return b;
  if (leastValue(subtract(b, a), 1) >= 0) return a;
  return minimum(a, b);
}

const atLeastZero = (size: Size): Size => (typeof size === "number" ? Math.max(0, size) : size);

/** The ranges of a Slice node by axis; null where they are only known at run time. */
export function rangesOf(operation: Operation, rank: number): ReadonlyMap<number, Range | null> {
  const [starts, ends, steps] = [
    parameter(operation, 1, "starts"),
    parameter(operation, 2, "ends"),
    parameter(operation, 4, "steps"),
  ];
  const length =
    starts?.length ?? ends?.length ?? knownLength(operation, 1) ?? knownLength(operation, 2);
  const axes =
    axesFrom(operation, 3) ??
    Array.from(
      { length: length ?? notInferable("the number of sliced axes is not known") },
      (_, axis) => axis,
    );
  return new Map(
    axes.map((axis, index) => [
      axisOf(axis, rank),
      rangeAt(index, { starts, ends, steps: hasInput(operation, 4) ? steps : [] }),
    ]),
  );
}

function rangeAt(
  index: number,
  { starts, ends, steps }: Readonly<Record<"starts" | "ends" | "steps", readonly Item[] | null>>,
): Range | null {
  const start = starts?.[index] ?? null;
  const end = ends?.[index] ?? null;
  const step = steps === null ? null : index in steps ? steps[index] : 1;
  if (step === 0) fault("a step of 0");
  return start === null || end === null || typeof step !== "number" ? null : { start, end, step };
}

/** Attributes until opset 10, inputs from then on. */
const parameter = (
  operation: Operation,
  input: number,
  attribute: string,
): readonly Item[] | null =>
  hasInput(operation, input) ? itemsAt(operation, input) : intsOf(operation, attribute);

function knownLength(operation: Operation, input: number): number | null {
  const operand = operation.inputs[input];
  const [length] = (operand && shapeOfType(operand.type)) ?? [];
  return typeof length === "number" ? length : null;
}

function slice(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const ranges = rangesOf(operation, shape.length);
  return shape.map((size, axis) => {
    const range = ranges.get(axis);
    if (range === undefined) return size;
    return range === null ? operation.mint() : sliceLength(axisSize(shape, axis), range);
  });
}

export const slicing: Rules = { Slice: tensors((operation) => [slice(operation)]) };
