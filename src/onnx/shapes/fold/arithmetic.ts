// Arithmetic, comparisons and logic on small tensors of sizes. Logic is three-valued: an unknown
// element decides nothing, but what holds whatever it is still holds.

import type { DataType } from "../../model.ts";
import {
  add,
  leastValue,
  maximum,
  minimum,
  multiply,
  product,
  type Size,
  subtract,
} from "../dimension.ts";
import { ceilOf, floorDivide, floorOf } from "../dimension-division.ts";
import type { Item } from "../inferred-type.ts";
import { axisOf, intOf, type Operation } from "../operation.ts";
import { axesFrom } from "../rules/layout.ts";
import {
  broadcastElement,
  coordinatesOf,
  type Fold,
  type Folds,
  generate,
  type Known,
  knownAt,
} from "./folding.ts";

type Combine = (a: Size, b: Size, type: DataType | null) => Item;

/** Folds the operands from the first on, element by element. */
const combining =
  (combine: Combine): Fold =>
  (operation, { shape, elementType }) => {
    const operands = operation.inputs.map((_, index) => knownAt(operation, index));
    const known = operands.filter((operand): operand is Known => operand !== null);
    if (known.length < operands.length) return null;
    return generate(shape, (coordinates) => {
      const [first = null, ...others] = known.map((one) => broadcastElement(one, coordinates));
      return others.reduce<Item>(
        (a, b) => (a === null || b === null ? null : combine(a, b, elementType)),
        first,
      );
    });
  };

const mapping =
  (map: (item: Size, operation: Operation, type: DataType | null) => Item): Fold =>
  (operation, { elementType }) =>
    knownAt(operation, 0)?.items.map((item) =>
      item === null ? null : map(item, operation, elementType),
    ) ?? null;

/** Only of plain numbers. */
const numeric = (map: (value: number) => number): Fold =>
  mapping((item) => (typeof item === "number" ? map(item) : null));

const isWhole = (type: DataType | null): boolean => type?.includes("int") ?? false;

/** Whole numbers are rounded towards zero; sizes are not negative, so that is downwards for them. */
function divide(a: Size, b: Size, type: DataType | null): Item {
  if (b === 0) return null;
  if (typeof a === "number" && typeof b === "number")
    return isWhole(type) ? Math.trunc(a / b) : a / b;
  if (isWhole(type)) return floorDivide(a, b);
  return typeof b === "number" ? multiply(a, 1 / b) : null;
}

function remainder(a: Size, b: Size): Item {
  if (b === 0) return null;
  return subtract(a, multiply(b, floorDivide(a, b)));
}

function power(a: Size, b: Size): Item {
  if (typeof b !== "number") return null;
  if (typeof a === "number") return a ** b;
  return Number.isInteger(b) && b >= 0 && b <= 8 ? product(new Array<Size>(b).fill(a)) : null;
}

/** 1 or 0 when the sign of the difference is sure, else unknown. */
const comparing = (holds: (sign: number) => boolean): Fold =>
  combining((a, b) => {
    const difference = subtract(a, b);
    if (typeof difference === "number") return Number(holds(Math.sign(difference)));
    if (leastValue(difference) > 0) return Number(holds(1));
    if (leastValue(multiply(difference, -1)) > 0) return Number(holds(-1));
    return null;
  });

/** And with `decisive` 0, Or with 1. */
const logic =
  (decisive: 0 | 1): Fold =>
  (operation, { shape }) => {
    const [a, b] = [knownAt(operation, 0), knownAt(operation, 1)];
    if (a === null || b === null) return null;
    return generate(shape, (coordinates) => {
      const pair = [broadcastElement(a, coordinates), broadcastElement(b, coordinates)];
      if (pair.includes(decisive)) return decisive;
      return pair.includes(null) ? null : 1 - decisive;
    });
  };

const where: Fold = (operation, { shape }) => {
  const [condition, yes, no] = [0, 1, 2].map((index) => knownAt(operation, index));
  if (condition == null || yes == null || no == null) return null;
  return generate(shape, (coordinates) => {
    const chosen = broadcastElement(condition, coordinates);
    if (chosen === null) return null;
    return broadcastElement(chosen === 0 ? no : yes, coordinates);
  });
};

function cast(item: Size, _: Operation, type: DataType | null): Item {
  if (type === "bool") {
    if (typeof item === "number") return Number(item !== 0);
    return leastValue(item) > 0 ? 1 : null;
  }
  if (type === "string" || type === null) return null;
  if (isWhole(type)) return typeof item === "number" ? Math.trunc(item) : floorOf(item);
  return type === "float32" && typeof item === "number" ? Math.fround(item) : item;
}

function absolute(item: Size): Item {
  if (typeof item === "number") return Math.abs(item);
  return leastValue(item) >= 0 ? item : null;
}

/** IEEE 754: halves go to the even neighbour. */
function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  if (value - down !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}

const reducing =
  (combine: (a: Size, b: Size) => Size): Fold =>
  (operation, { shape }) => {
    const known = knownAt(operation, 0);
    if (known === null || known.items.length === 0) return null;
    const stated = axesFrom(operation, 1) ?? [];
    if (stated.length === 0 && intOf(operation, "noop_with_empty_axes", 0) === 1)
      return known.items;
    const axes = new Set(stated.map((axis) => axisOf(axis, known.shape.length)));
    const kept = known.shape.map((size, axis) => (axes.size === 0 || axes.has(axis) ? 1 : size));
    const count = shape.reduce((total, size) => total * size, 1);
    const results = new Array<Item | undefined>(count);
    for (const [flat, item] of known.items.entries()) {
      let target = 0;
      for (const [axis, coordinate] of coordinatesOf(flat, known.shape).entries()) {
        const size = kept[axis] ?? 1;
        target = target * size + (coordinate % size);
      }
      const sofar = results[target];
      if (sofar === undefined) results[target] = item;
      else results[target] = sofar === null || item === null ? null : combine(sofar, item);
    }
    return Array.from(results, (item) => item ?? null);
  };

export const arithmetic: Folds = {
  Add: combining(add),
  Sub: combining(subtract),
  Mul: combining(multiply),
  Div: combining(divide),
  Mod: combining(remainder),
  Pow: combining(power),
  Max: combining(maximum),
  Min: combining(minimum),
  Sum: combining(add),
  Equal: comparing((sign) => sign === 0),
  Greater: comparing((sign) => sign > 0),
  GreaterOrEqual: comparing((sign) => sign >= 0),
  Less: comparing((sign) => sign < 0),
  LessOrEqual: comparing((sign) => sign <= 0),
  And: logic(0),
  Or: logic(1),
  Not: mapping((item) => (typeof item === "number" ? Number(item === 0) : null)),
  Xor: combining((a, b) =>
    typeof a === "number" && typeof b === "number" ? Number(a !== b) : null,
  ),
  Where: where,
  Cast: mapping(cast),
  CastLike: mapping(cast),
  Neg: mapping((item) => multiply(item, -1)),
  Abs: mapping(absolute),
  Relu: mapping((item) => maximum(item, 0)),
  Sign: numeric(Math.sign),
  Floor: mapping(floorOf),
  Ceil: mapping(ceilOf),
  Round: numeric(roundHalfEven),
  Sqrt: numeric(Math.sqrt),
  Reciprocal: numeric((value) => 1 / value),
  ReduceSum: reducing(add),
  ReduceProd: reducing(multiply),
  ReduceMax: reducing(maximum),
  ReduceMin: reducing(minimum),
};
