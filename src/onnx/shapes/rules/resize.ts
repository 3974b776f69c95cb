// Resize and Upsample: sizes that are given, or that follow from scales (rounded down).

import { multiply, type Size } from "../dimension.ts";
import { floorOf } from "../dimension-division.ts";
import type { Shape } from "../inferred-type.ts";
import {
  axesOf,
  axisSize,
  fault,
  floatsOf,
  hasInput,
  intsOf,
  itemsAt,
  notInferable,
  numbersAt,
  type Operation,
  type Rules,
  shapeAt,
  sizesAt,
  tensors,
  textOf,
} from "../operation.ts";

function resize(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  // Opset 10 has the scales second; from 11 on the region of interest stands there.
  const scalesAt = operation.opType === "Upsample" || operation.version < 11 ? 1 : 2;
  const axes = axesOf(intsOf(operation, "axes") ?? shape.map((_, axis) => axis), shape.length);
  if (isGiven(operation, 3)) return toSizes(operation, shape, axes);
  const scales = numbersAt(operation, scalesAt) ?? floatsOf(operation, "scales");
  if (scales === null) {
    if (itemsAt(operation, scalesAt)?.length === 0) fault("neither scales nor sizes are given");
    return shape.map((size, axis) => (axes.includes(axis) ? operation.mint() : size));
  }
  if (scales.length !== axes.length) fault(`${scales.length} scales for ${axes.length} axes`);
  const region = regionOf(operation, axes.length);
  return shape.map((size, axis) => {
    const index = axes.indexOf(axis);
    if (index < 0) return size;
    return scaled(size, scales[index] ?? 1, region?.[index] ?? 1) ?? operation.mint();
  });
}

/** An input that is there and not empty; exporters leave inputs out by giving empty ones. */
function isGiven(operation: Operation, index: number): boolean {
  if (!hasInput(operation, index)) return false;
  const type = operation.inputs[index]?.type;
  return !(type?.kind === "tensor" && type.shape?.[0] === 0);
}

/** floor(size x extent x scale), in float32 as ONNX Runtime computes it. */
function scaled(size: Size, scale: number, extent: number): Size | null {
  if (!(scale > 0)) fault(`a scale of ${scale}`);
  if (typeof size !== "number") return floorOf(multiply(size, scale * extent));
  return Math.floor(Math.fround(Math.fround(size * extent) * Math.fround(scale)));
}

/** Parts of the axes that tf_crop_and_resize takes; null for the other transformations. */
function regionOf(operation: Operation, rank: number): readonly number[] | null {
  const mode = textOf(operation, "coordinate_transformation_mode", "half_pixel");
  if (mode !== "tf_crop_and_resize") return null;
  const region = numbersAt(operation, 1) ?? notInferable("the region is only known at run time");
  return Array.from(
    { length: rank },
    (_, axis) => (region[axis + rank] ?? 1) - (region[axis] ?? 0),
  );
}

function toSizes(operation: Operation, shape: Shape, axes: readonly number[]): Shape {
  const sizes = sizesAt(operation, 3) ?? notInferable("the number of sizes is not known");
  if (sizes.length !== axes.length) fault(`${sizes.length} sizes for ${axes.length} axes`);
  const policy = textOf(operation, "keep_aspect_ratio_policy", "stretch");
  const wanted =
    policy === "stretch" ? sizes : keepingRatio(operation, { shape, axes, sizes, policy });
  return shape.map((size, axis) => {
    const index = axes.indexOf(axis);
    return index < 0 ? size : (wanted[index] ?? size);
  });
}

/** Opset 18: one scale for all axes, the smallest or the largest that the sizes ask for. */
function keepingRatio(
  operation: Operation,
  of: {
    readonly shape: Shape;
    readonly axes: readonly number[];
    readonly sizes: Shape;
    readonly policy: string;
  },
): Shape {
  const before = of.axes.map((axis) => axisSize(of.shape, axis));
  const numbers = [...before, ...of.sizes].every((size) => typeof size === "number");
  if (!numbers) return of.sizes.map(() => operation.mint());
  const scales = of.sizes.map((size, index) => Number(size) / Number(before[index]));
  const scale = of.policy === "not_larger" ? Math.min(...scales) : Math.max(...scales);
  // Halves are rounded up (onnx, docs/Operators.md, Resize, `round_int`).
  return before.map((size) => Math.floor(Number(size) * scale + 0.5));
}

export const resizing: Rules = {
  Resize: tensors((operation) => [resize(operation)]),
  Upsample: tensors((operation) => [resize(operation)]),
};
