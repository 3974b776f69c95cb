// Taking elements by index, putting them back, joining and cutting: Gather, Scatter, Concat, Split, Pad.

import { multiply, type Size, subtract, total } from "../dimension.ts";
import { ceilDivide, floorDivide } from "../dimension-division.ts";
import { formatShape, formatSize } from "../dimension-text.ts";
import type { Shape } from "../inferred-type.ts";
import {
  agree,
  axesOf,
  axisOf,
  axisSize,
  fault,
  hasInput,
  intOf,
  intsOf,
  notInferable,
  numbersAt,
  type Operation,
  type Rules,
  shapeAt,
  shapeFromRank,
  sizesAt,
  tensors,
} from "../operation.ts";
import { unary } from "./elementwise.ts";
import { axesFrom } from "./layout.ts";

function gather(operation: Operation): Shape {
  const data = shapeFromRank(operation, 0, 1);
  const axis = axisOf(intOf(operation, "axis", 0), data.length);
  return [...data.slice(0, axis), ...shapeAt(operation, 1), ...data.slice(axis + 1)];
}

function gatherElements(operation: Operation): Shape {
  const data = shapeFromRank(operation, 0, 1);
  axisOf(intOf(operation, "axis", 0), data.length);
  const indices = shapeAt(operation, 1);
  if (indices.length !== data.length) {
    fault(`indices ${formatShape(indices)} and data ${formatShape(data)} differ in rank`);
  }
  return indices;
}

function gatherND(operation: Operation): Shape {
  const data = shapeFromRank(operation, 0, 1);
  const indices = shapeFromRank(operation, 1, 1);
  const batch = intOf(operation, "batch_dims", 0);
  const depth = indices.at(-1);
  if (typeof depth !== "number")
    notInferable("how many axes an index has is only known at run time");
  if (batch < 0 || batch + depth > data.length || batch >= indices.length) {
    fault(`indices ${formatShape(indices)} into data ${formatShape(data)}, batch_dims ${batch}`);
  }
  return [...indices.slice(0, -1), ...data.slice(batch + depth)];
}

export function concat(shapes: readonly Shape[], stated: number): Shape {
  const [first = fault("nothing to join"), ...others] = shapes;
  const axis = axisOf(stated, first.length);
  for (const shape of others) {
    if (shape.length !== first.length)
      fault(`${formatShape(first)} and ${formatShape(shape)} are joined`);
  }
  return first.map((size, at) =>
    at === axis
      ? total(shapes.map((shape) => axisSize(shape, at)))
      : others.reduce<Size>(
          (known, shape) => agree(known, axisSize(shape, at), `axis ${at}`),
          size,
        ),
  );
}

/** The sizes of the pieces along the axis. */
export function pieces(size: Size, operation: Operation): readonly Size[] {
  const { outputCount } = operation;
  const stated = hasInput(operation, 1)
    ? (sizesAt(operation, 1) ?? new Array<Size>(outputCount).fill(0).map(() => operation.mint()))
    : intsOf(operation, "split");
  if (stated !== null) return checkedPieces(stated, size, outputCount);
  const count = intOf(operation, "num_outputs", 0);
  if (count > 0) {
    // Opset 18: all pieces are of the size rounded up, the last one takes what is left.
    if (count !== outputCount) fault(`num_outputs is ${count}, ${outputCount} outputs are named`);
    const piece = ceilDivide(size, count);
    const last = subtract(size, multiply(piece, count - 1));
    if (typeof last === "number" && last < 0)
      fault(`${formatSize(size)} elements in ${count} pieces`);
    return [...new Array<Size>(count - 1).fill(piece), last];
  }
  if (typeof size === "number" && size % outputCount !== 0) {
    fault(`${size} elements in ${outputCount} equal pieces`);
  }
  return new Array<Size>(outputCount).fill(floorDivide(size, outputCount));
}

function checkedPieces(stated: readonly Size[], size: Size, count: number): readonly Size[] {
  if (stated.length !== count) fault(`${stated.length} pieces for ${count} outputs`);
  const sum = total(stated);
  if (typeof sum === "number" && typeof size === "number" && sum !== size) {
    fault(`pieces of ${sum} elements in all from ${size}`);
  }
  return stated;
}

function split(operation: Operation): readonly Shape[] {
  const shape = shapeFromRank(operation, 0, 1);
  const axis = axisOf(intOf(operation, "axis", 0), shape.length);
  return pieces(axisSize(shape, axis), operation).map((piece) => shape.with(axis, piece));
}

/** Pads are an attribute until opset 11, an input from then on; axes may be chosen from opset 18. */
function pad(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const axes = axesOf(axesFrom(operation, 3) ?? shape.map((_, axis) => axis), shape.length);
  const pads = hasInput(operation, 1) ? sizesAt(operation, 1) : intsOf(operation, "pads");
  if (pads === null) return notInferable("the number of paddings is not known");
  if (pads.length !== 2 * axes.length) fault(`${pads.length} paddings for ${axes.length} axes`);
  return shape.map((size, axis) => {
    const index = axes.indexOf(axis);
    if (index < 0) return size;
    const padded = total([size, pads[index] ?? 0, pads[index + axes.length] ?? 0]);
    return typeof padded === "number" && padded < 0
      ? fault(`axis ${axis} has ${padded} elements`)
      : padded;
  });
}

function compress(operation: Operation): Shape {
  const shape = shapeFromRank(operation, 0, 1);
  const kept = numbersAt(operation, 1)?.filter((item) => item !== 0).length ?? operation.mint();
  const axis = operation.attributes.get("axis");
  return axis?.kind === "int" ? shape.with(axisOf(Number(axis.value), shape.length), kept) : [kept];
}

function centerCropPad(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const axes = axesOf(intsOf(operation, "axes") ?? shape.map((_, axis) => axis), shape.length);
  const sizes = sizesAt(operation, 1) ?? notInferable("the number of sizes is not known");
  return shape.map((size, axis) => {
    const index = axes.indexOf(axis);
    return index < 0 ? size : (sizes[index] ?? size);
  });
}

export const gathering: Rules = {
  Gather: tensors((operation) => [gather(operation)]),
  GatherElements: tensors((operation) => [gatherElements(operation)]),
  GatherND: tensors((operation) => [gatherND(operation)]),
  Scatter: unary,
  ScatterElements: unary,
  ScatterND: unary,
  TensorScatter: unary,
  Concat: tensors((operation) => [
    concat(
      operation.inputs.map((_, index) => shapeAt(operation, index)),
      // Opset 1 joined along axis 1 unless told.
      intOf(operation, "axis", 1),
    ),
  ]),
  Split: tensors(split),
  Pad: tensors((operation) => [pad(operation)]),
  Compress: tensors((operation) => [compress(operation)]),
  CenterCropPad: tensors((operation) => [centerCropPad(operation)]),
};
