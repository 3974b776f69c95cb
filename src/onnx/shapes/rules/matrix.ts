// Matrix products: MatMul and Gemm, their integer and quantised forms, Einsum, Det.

import { type Size, sameSize } from "../dimension.ts";
import { formatShape } from "../dimension-text.ts";
import type { Shape } from "../inferred-type.ts";
import {
  agree,
  axisSize,
  fault,
  intOf,
  mustAgree,
  type Operation,
  type Rules,
  shapeAt,
  shapeFromRank,
  shapeOfRank,
  tensors,
  textOf,
  typed,
  typeOfInput,
} from "../operation.ts";
import { broadcast, broadcastSize } from "./broadcast.ts";

/** numpy.matmul: a vector on the left is a row, on the right a column, and its axis goes again. */
export function matmul(a: Shape, b: Shape): Shape {
  if (a.length === 0 || b.length === 0) fault("a scalar in a matrix product");
  const left = a.length === 1 ? [1, ...a] : a;
  const right = b.length === 1 ? [...b, 1] : b;
  mustAgree(axisSize(left, -1), axisSize(right, -2), () => inner(a, b));
  const batch = broadcast(left.slice(0, -2), right.slice(0, -2));
  const rows = a.length === 1 ? [] : [axisSize(left, -2)];
  const columns = b.length === 1 ? [] : [axisSize(right, -1)];
  return [...batch, ...rows, ...columns];
}

const inner = (a: Shape, b: Shape): string =>
  `inner sizes of ${formatShape(a)} and ${formatShape(b)}`;

export function gemm(operation: Operation, [first, second]: readonly [number, number]): Shape {
  const a = shapeOfRank(operation, first, 2);
  const b = shapeOfRank(operation, second, 2);
  const [rows = 1, depth = 1] = intOf(operation, "transA", 0) === 0 ? a : a.toReversed();
  const [height = 1, columns = 1] = intOf(operation, "transB", 0) === 0 ? b : b.toReversed();
  mustAgree(depth, height, () => inner(a, b));
  return [rows, columns];
}

/** Sizes by letter; an ellipsis stands for axes that broadcast. */
function einsum(operation: Operation): Shape {
  const equation = textOf(operation, "equation", "").replace(/\s/g, "");
  const [inputs = "", output] = equation.split("->");
  const operands = inputs.split(",");
  if (operands.length !== operation.inputs.length) {
    fault(`${operation.inputs.length} inputs for the equation ${equation}`);
  }
  const sizes = new Map<string, Size>();
  let ellipsis: Shape = [];
  for (const [index, labels] of operands.entries()) {
    const shape = shapeAt(operation, index);
    const [front = "", back] = labels.split("...");
    const letters = front.length + (back?.length ?? 0);
    if (back === undefined ? letters !== shape.length : letters > shape.length) {
      fault(`${formatShape(shape)} does not fit ${labels} of the equation ${equation}`);
    }
    const end = shape.length - (back?.length ?? 0);
    ellipsis = broadcast(ellipsis, shape.slice(front.length, end));
    const axes: readonly (readonly [string, Size])[] = [
      ...Array.from(front, (letter, axis) => [letter, axisSize(shape, axis)] as const),
      ...Array.from(back ?? "", (letter, axis) => [letter, axisSize(shape, end + axis)] as const),
    ];
    for (const [letter, size] of axes) {
      const known = sizes.get(letter) ?? size;
      sizes.set(
        letter,
        broadcastSize(known, size) ?? agree(known, size, `"${letter}" of ${equation}`),
      );
    }
  }
  return einsumOutput(output ?? implicitOutput(inputs), sizes, ellipsis);
}

/** Without an arrow: the letters that occur once, in alphabetical order, behind the ellipsis. */
function implicitOutput(inputs: string): string {
  const letters = inputs.replace(/[^A-Za-z]/g, "");
  const once = Array.from(letters).filter(
    (letter) => letters.indexOf(letter) === letters.lastIndexOf(letter),
  );
  return (inputs.includes("...") ? "..." : "") + once.sort().join("");
}

function einsumOutput(labels: string, sizes: ReadonlyMap<string, Size>, ellipsis: Shape): Shape {
  const [front = "", back] = labels.split("...");
  const of = (letters: string): Shape =>
    Array.from(letters, (letter) => sizes.get(letter) ?? fault(`"${letter}" is of no input`));
  return back === undefined ? of(front) : [...of(front), ...ellipsis, ...of(back)];
}

function determinant(operation: Operation): Shape {
  const shape = shapeFromRank(operation, 0, 2);
  const [rows, columns] = [axisSize(shape, -2), axisSize(shape, -1)];
  if (!sameSize(rows, columns))
    mustAgree(rows, columns, () => "rows and columns of a square matrix");
  return shape.slice(0, -2);
}

export const matrix: Rules = {
  MatMul: tensors((operation) => [matmul(shapeAt(operation, 0), shapeAt(operation, 1))]),
  MatMulInteger: tensors(
    (operation) => [matmul(shapeAt(operation, 0), shapeAt(operation, 1))],
    typed("int32"),
  ),
  QLinearMatMul: tensors(
    (operation) => [matmul(shapeAt(operation, 0), shapeAt(operation, 3))],
    typeOfInput(7),
  ),
  Gemm: tensors((operation) => [gemm(operation, [0, 1])]),
  Einsum: tensors((operation) => [einsum(operation)]),
  Det: tensors((operation) => [determinant(operation)]),
};
