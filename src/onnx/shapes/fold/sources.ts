// Where known elements come from: constants, shapes, ranges.

import { add, multiply, product } from "../dimension.ts";
import { shapeOfType } from "../inferred-type.ts";
import { itemsOf, numbersAt, operandAt, scalarAt, tensorOf } from "../operation.ts";
import { shapeRange } from "../rules/creation.ts";
import { coordinatesOf, type Fold, type Folds, wholeShape } from "./folding.ts";

const constant: Fold = (operation) => {
  const tensor = tensorOf(operation, "value");
  if (tensor !== null) return itemsOf(tensor);
  for (const name of ["value_int", "value_float"]) {
    const attribute = operation.attributes.get(name);
    if (attribute !== undefined) return [Number(attribute.value)];
  }
  for (const name of ["value_ints", "value_floats"]) {
    const attribute = operation.attributes.get(name);
    if (Array.isArray(attribute?.value)) return attribute.value.map(Number);
  }
  return null;
};

const constantOfShape: Fold = (operation, { shape }) => {
  const tensor = tensorOf(operation, "value");
  const [value = null] = tensor === null ? [0] : (itemsOf(tensor) ?? []);
  return new Array(shape.reduce((count, size) => count * size, 1)).fill(value);
};

const range: Fold = (operation, { shape }) => {
  const [start, delta] = [scalarAt(operation, 0), scalarAt(operation, 2)];
  if (start === null || delta === null) return null;
  return Array.from({ length: shape[0] ?? 0 }, (_, index) => add(start, multiply(delta, index)));
};

/** Row by row: the coordinates along each axis. */
const nonZero: Fold = (operation) => {
  const items = numbersAt(operation, 0);
  const shape = wholeShape(operandAt(operation, 0).type);
  if (items === null || shape === null) return null;
  const found = items.flatMap((item, flat) => (item === 0 ? [] : [coordinatesOf(flat, shape)]));
  return shape.flatMap((_, axis) => found.map((coordinates) => coordinates[axis] ?? 0));
};

export const sources: Folds = {
  Constant: constant,
  ConstantOfShape: constantOfShape,
  Range: range,
  NonZero: nonZero,
  Shape: (operation) =>
    shapeOfType(operandAt(operation, 0).type)?.slice(...shapeRange(operation)) ?? null,
  Size: (operation) => {
    const shape = shapeOfType(operandAt(operation, 0).type);
    return shape === null ? null : [product(shape)];
  },
};
