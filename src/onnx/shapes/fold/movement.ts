// Moving the elements of small tensors: taking, joining, cutting, turning, repeating.

import type { InferredType, Item } from "../inferred-type.ts";
import { axisOf, intOf, intsOf, numbersAt } from "../operation.ts";
import { pieces } from "../rules/gather.ts";
import { positions, rangesOf } from "../rules/slice.ts";
import {
  broadcastElement,
  elementAt,
  type Fold,
  type Folds,
  generate,
  type Known,
  knownAt,
  wholeShape,
} from "./folding.ts";

/** The elements stay in their order. */
const asTheyAre: Fold = (operation) => knownAt(operation, 0)?.items ?? null;

const gather: Fold = (operation, { shape }) => {
  const data = knownAt(operation, 0);
  const indices = numbersAt(operation, 1);
  const indexShape = knownAt(operation, 1)?.shape;
  if (data === null || indices === null || indexShape === undefined) return null;
  const axis = axisOf(intOf(operation, "axis", 0), data.shape.length);
  const size = data.shape[axis] ?? 0;
  const taken: Known = { shape: indexShape, items: indices };
  return generate(shape, (coordinates) => {
    const index = elementAt(taken, coordinates.slice(axis, axis + indexShape.length));
    if (typeof index !== "number" || index < -size || index >= size) return null;
    const before = coordinates.slice(0, axis);
    const after = coordinates.slice(axis + indexShape.length);
    return elementAt(data, [...before, index < 0 ? index + size : index, ...after]);
  });
};

const slice: Fold = (operation, { shape }) => {
  const data = knownAt(operation, 0);
  if (data === null) return null;
  const ranges = rangesOf(operation, data.shape.length);
  const walks = data.shape.map((size, axis) => {
    const range = ranges.get(axis);
    if (range === undefined) return { from: 0, step: 1 };
    if (range === null || typeof range.start !== "number" || typeof range.end !== "number")
      return null;
    const [from] = positions(size, { start: range.start, end: range.end, step: range.step });
    return { from, step: range.step };
  });
  if (walks.includes(null)) return null;
  return generate(shape, (coordinates) =>
    elementAt(
      data,
      coordinates.map((at, axis) => (walks[axis]?.from ?? 0) + at * (walks[axis]?.step ?? 1)),
    ),
  );
};

const concat: Fold = (operation, { shape }) => {
  const axis = axisOf(intOf(operation, "axis", 1), shape.length);
  const rows = shape.slice(0, axis).reduce((count, size) => count * size, 1);
  const parts = operation.inputs.map((_, index) => {
    const known = knownAt(operation, index);
    return known ?? unknownPart(operation.inputs[index]?.type);
  });
  if (parts.includes(null)) return null;
  return Array.from({ length: rows }, (_, row) =>
    parts.flatMap((part) => {
      const length = (part?.items.length ?? 0) / rows;
      return part?.items.slice(row * length, (row + 1) * length) ?? [];
    }),
  ).flat();
};

/** A part of which only the shape is known leaves its elements open and the others known. */
function unknownPart(type: InferredType | undefined): Known | null {
  const shape = type === undefined ? null : wholeShape(type);
  if (shape === null) return null;
  const count = shape.reduce((product, size) => product * size, 1);
  return { shape, items: new Array<Item>(count).fill(null) };
}

const split: Fold = (operation, { index, shape }) => {
  const data = knownAt(operation, 0);
  if (data === null) return null;
  const axis = axisOf(intOf(operation, "axis", 0), data.shape.length);
  const before = pieces(data.shape[axis] ?? 0, operation).slice(0, index);
  let offset = 0;
  for (const piece of before) {
    if (typeof piece !== "number") return null;
    offset += piece;
  }
  return generate(shape, (coordinates) =>
    elementAt(
      data,
      coordinates.map((at, on) => (on === axis ? at + offset : at)),
    ),
  );
};

const transpose: Fold = (operation, { shape }) => {
  const data = knownAt(operation, 0);
  if (data === null) return null;
  const order = intsOf(operation, "perm") ?? data.shape.map((_, axis) => shape.length - 1 - axis);
  return generate(shape, (coordinates) =>
    elementAt(
      data,
      data.shape.map((_, axis) => coordinates[order.indexOf(axis)] ?? 0),
    ),
  );
};

const repeat: Fold = (operation, { shape }) => {
  const data = knownAt(operation, 0);
  if (data === null) return null;
  return generate(shape, (coordinates) => broadcastElement(data, coordinates));
};

export const movement: Folds = {
  Reshape: asTheyAre,
  Flatten: asTheyAre,
  Squeeze: asTheyAre,
  Unsqueeze: asTheyAre,
  Gather: gather,
  Slice: slice,
  Concat: concat,
  Split: split,
  Transpose: transpose,
  Expand: repeat,
  Tile: repeat,
};
