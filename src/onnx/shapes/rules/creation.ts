// Operators that make tensors: constants, ranges, random numbers, and those that look at a shape.

import type { DataType } from "../../model.ts";
import { type Size, subtract } from "../dimension.ts";
import { ceilDivide } from "../dimension-division.ts";
import type { Shape } from "../inferred-type.ts";
import {
  axisOf,
  axisSize,
  dataTypeOf,
  elementTypeAt,
  fault,
  intOf,
  intsOf,
  notInferable,
  numbersAt,
  type Operation,
  operandAt,
  type Rules,
  scalarAt,
  shapeAt,
  shapeOfRank,
  sizesAt,
  tensorOf,
  tensors,
  typed,
  typeOfAttribute,
  typeOfInput,
} from "../operation.ts";
import { sliceLength } from "./slice.ts";

/** What a Constant node holds: the attributes of opset 1 to 13, each of which says its type. */
const CONSTANT_ATTRIBUTES: Readonly<Record<string, DataType>> = {
  value_int: "int64",
  value_ints: "int64",
  value_float: "float32",
  value_floats: "float32",
  value_string: "string",
  value_strings: "string",
};

function constantType(operation: Operation): DataType | null {
  const named = Object.keys(CONSTANT_ATTRIBUTES).find((name) => operation.attributes.has(name));
  if (named !== undefined) return CONSTANT_ATTRIBUTES[named] ?? null;
  const sparse = operation.attributes.get("sparse_value");
  const values =
    sparse?.kind === "sparseTensor" ? sparse.value.values : tensorOf(operation, "value");
  return values?.dataType ?? null;
}

function constantShape(operation: Operation): Shape {
  for (const name of Object.keys(CONSTANT_ATTRIBUTES)) {
    const attribute = operation.attributes.get(name);
    if (attribute !== undefined)
      return Array.isArray(attribute.value) ? [attribute.value.length] : [];
  }
  const sparse = operation.attributes.get("sparse_value");
  const dims =
    sparse?.kind === "sparseTensor" ? sparse.value.dims : tensorOf(operation, "value")?.dims;
  return dims?.map(Number) ?? fault("a constant without a value");
}

export function sizeOf(operation: Operation, index: number): Size {
  const [size] = sizesAt(operation, index) ?? [];
  return size ?? fault(`"${operandAt(operation, index).name}" is not one number`);
}

/** How many steps lead from start to before the limit; a new symbol unless all three are known. */
function rangeLength(operation: Operation): Size {
  const [start, limit, delta] = [
    sizeOf(operation, 0),
    sizeOf(operation, 1),
    scalarAt(operation, 2),
  ];
  if (delta === 0) fault("a range with step 0");
  if (typeof delta !== "number") return operation.mint();
  const integral = elementTypeAt(operation, 0)?.includes("int") ?? false;
  const count = subtract(limit, start);
  if (typeof count === "number") return Math.max(0, Math.ceil(count / delta));
  return integral ? ceilDivide(count, delta) : operation.mint();
}

function oneHot(operation: Operation): Shape {
  const indices = shapeAt(operation, 0);
  const axis = axisOf(intOf(operation, "axis", -1), indices.length + 1);
  return indices.toSpliced(axis, 0, sizeOf(operation, 1));
}

/** From opset 15 a Shape may be of some axes only. */
export function shapeRange(operation: Operation): readonly [number, number] {
  const { length } = shapeAt(operation, 0);
  const clamp = (value: number): number =>
    Math.min(Math.max(value < 0 ? value + length : value, 0), length);
  return [clamp(intOf(operation, "start", 0)), clamp(intOf(operation, "end", length))];
}

function unique(operation: Operation): readonly Shape[] {
  const shape = shapeAt(operation, 0);
  const count = operation.mint();
  const axis = operation.attributes.get("axis");
  if (axis?.kind !== "int") {
    const all = shape.reduce<Size | null>(
      (sum, size) =>
        sum === null
          ? null
          : typeof sum === "number" && typeof size === "number"
            ? sum * size
            : null,
      1,
    );
    return [[count], [count], [all ?? operation.mint("elements")], [count]];
  }
  const at = axisOf(Number(axis.value), shape.length);
  return [shape.with(at, count), [count], [axisSize(shape, at)], [count]];
}

const stated = (operation: Operation): Shape =>
  intsOf(operation, "shape") ?? fault("attribute shape is missing");

const signalWindow = tensors(
  (operation) => [[sizeOf(operation, 0)]],
  typeOfAttribute("output_datatype", "float32"),
);

const random = tensors((operation) => [stated(operation)], typeOfAttribute("dtype", "float32"));

export const creation: Rules = {
  Constant: tensors(
    (operation) => [constantShape(operation)],
    (operation) => [constantType(operation)],
  ),
  ConstantOfShape: tensors(
    (operation) => [sizesAt(operation, 0) ?? notInferable("the length of the shape is not known")],
    (operation) => [tensorOf(operation, "value")?.dataType ?? "float32"],
  ),
  Range: tensors((operation) => [[rangeLength(operation)]]),
  OneHot: tensors((operation) => [oneHot(operation)], typeOfInput(2)),
  EyeLike: tensors((operation) => [shapeOfRank(operation, 0, 2)], typeOfAttribute("dtype", null)),
  Shape: tensors((operation) => {
    const [start, end] = shapeRange(operation);
    return [[sliceLength(shapeAt(operation, 0).length, { start, end, step: 1 })]];
  }, typed("int64")),
  Size: tensors(() => [[]], typed("int64")),
  NonZero: tensors((operation) => {
    const { length } = shapeAt(operation, 0);
    const count = numbersAt(operation, 0)?.filter((item) => item !== 0).length;
    return [[length, count ?? operation.mint()]];
  }, typed("int64")),
  Unique: tensors(unique, typed(null, "int64")),
  RandomNormal: random,
  RandomUniform: random,
  BlackmanWindow: signalWindow,
  HammingWindow: signalWindow,
  HannWindow: signalWindow,
  MelWeightMatrix: tensors(
    (operation) => {
      const length = sizeOf(operation, 1);
      const bins = typeof length === "number" ? Math.floor(length / 2) + 1 : operation.mint("bins");
      return [[bins, sizeOf(operation, 0)]];
    },
    (operation) => [dataTypeOf(intOf(operation, "output_datatype", 1))],
  ),
};
