// Operators that only say where elements stand: Reshape, Transpose, Squeeze and their kind.

import { product, type Size, sameSize } from "../dimension.ts";
import { floorDivide } from "../dimension-division.ts";
import { formatShape } from "../dimension-text.ts";
import type { Shape } from "../inferred-type.ts";
import {
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
  operandAt,
  type Rules,
  shapeAt,
  shapeOfRank,
  sizesAt,
  tensors,
} from "../operation.ts";
import { broadcast } from "./broadcast.ts";

/** Sizes that an input gives from `since` on, an attribute before. */
function sizesFrom(
  operation: Operation,
  { input, attribute }: { readonly input: number; readonly attribute: string },
): readonly Size[] {
  if (!hasInput(operation, input)) {
    return (
      intsOf(operation, attribute) ?? fault(`neither input ${input} nor attribute ${attribute}`)
    );
  }
  const { name } = operandAt(operation, input);
  return sizesAt(operation, input) ?? notInferable(`the length of "${name}" is not known`);
}

/** Axes of an input or an attribute; null when neither is there. */
export function axesFrom(operation: Operation, input: number): readonly number[] | null {
  if (!hasInput(operation, input)) return intsOf(operation, "axes");
  const { name } = operandAt(operation, input);
  return (
    numbersAt(operation, input) ?? notInferable(`the axes in "${name}" are only known at run time`)
  );
}

function reshape(operation: Operation): Shape {
  const target = sizesFrom(operation, { input: 1, attribute: "shape" });
  const zeroCopies = intOf(operation, "allowzero", 0) === 0;
  const data = shapeAt(operation, 0);
  const sizes = target.map((size, axis) =>
    size === 0 && zeroCopies ? axisSize(data, axis) : size,
  );
  const wild = sizes.flatMap((size, axis) => (size === -1 ? [axis] : []));
  if (wild.length > 1) fault(`${formatShape(target)} has more than one -1`);
  if (sizes.some((size) => typeof size === "number" && size < -1)) {
    fault(`${formatShape(target)} has a negative size`);
  }
  const given = reduceCommon(
    data,
    sizes.filter((size) => size !== -1),
  );
  const [axis] = wild;
  if (axis === undefined) {
    if (
      typeof given.data === "number" &&
      typeof given.target === "number" &&
      given.data !== given.target
    ) {
      fault(`${formatShape(data)} does not have the elements of ${formatShape(sizes)}`);
    }
    return sizes;
  }
  return sizes.with(axis, remainder(given, { data, target: sizes }));
}

function remainder(
  given: { readonly data: Size; readonly target: Size },
  shapes: { readonly data: Shape; readonly target: Shape },
): Size {
  // Any size would do, so ONNX Runtime and NumPy take none.
  if (given.target === 0)
    fault(`the -1 of ${formatShape(shapes.target)} stands beside a size of 0`);
  const whole = typeof given.data === "number" && typeof given.target === "number";
  if (whole && Number(given.data) % Number(given.target) !== 0) {
    fault(`${formatShape(shapes.data)} does not divide into ${formatShape(shapes.target)}`);
  }
  return floorDivide(given.data, given.target);
}

/** Numbers of elements without the sizes that both have, so that a symbol of size 0 cancels too. */
function reduceCommon(data: Shape, target: Shape): { readonly data: Size; readonly target: Size } {
  const left = [...data];
  const right = target.filter((size) => {
    const index = size === 0 ? -1 : left.findIndex((other) => sameSize(other, size));
    if (index >= 0) left.splice(index, 1);
    return index < 0;
  });
  return { data: product(left), target: product(right) };
}

function flatten(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const axis = intOf(operation, "axis", 1);
  // The axis may stand behind the last one, which leaves a column.
  const at = axis === shape.length ? axis : axisOf(axis, shape.length);
  return [product(shape.slice(0, at)), product(shape.slice(at))];
}

function transpose(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const order = intsOf(operation, "perm") ?? shape.map((_, axis) => shape.length - 1 - axis);
  if (order.length !== shape.length) fault(`perm has ${order.length} axes, not ${shape.length}`);
  return axesOf(order, shape.length).map((axis) => axisSize(shape, axis));
}

function squeeze(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const axes = axesFrom(operation, 1);
  if (axes === null) {
    if (shape.some((size) => typeof size !== "number")) {
      notInferable(`which axes of ${formatShape(shape)} are 1 is only known at run time`);
    }
    return shape.filter((size) => size !== 1);
  }
  const dropped = new Set(axes.map((axis) => axisOf(axis, shape.length)));
  return shape.filter((size, axis) => {
    if (!dropped.has(axis)) return true;
    if (typeof size === "number" && size !== 1)
      fault(`axis ${axis} of ${formatShape(shape)} is not 1`);
    return false;
  });
}

function unsqueeze(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const axes = axesFrom(operation, 1) ?? fault("no axes are given");
  const rank = shape.length + axes.length;
  const added = new Set(axesOf(axes, rank));
  const kept = shape.values();
  return Array.from({ length: rank }, (_, axis) =>
    added.has(axis) ? 1 : (kept.next().value ?? 1),
  );
}

function expand(operation: Operation): Shape {
  return broadcast(shapeAt(operation, 0), sizesFrom(operation, { input: 1, attribute: "shape" }));
}

function tile(operation: Operation): Shape {
  const shape = shapeAt(operation, 0);
  const repeats = sizesFrom(operation, { input: 1, attribute: "repeats" });
  if (repeats.length !== shape.length) {
    fault(`${repeats.length} repeats for a tensor of rank ${shape.length}`);
  }
  return shape.map((size, axis) => product([size, repeats[axis] ?? 1]));
}

function depthToSpace(operation: Operation): Shape {
  const [batch = 1, depth = 1, height = 1, width = 1] = shapeOfRank(operation, 0, 4);
  const block = blockSize(operation);
  if (typeof depth === "number" && depth % block ** 2 !== 0) {
    fault(`${depth} channels do not divide into blocks of ${block} by ${block}`);
  }
  return [batch, floorDivide(depth, block ** 2), product([height, block]), product([width, block])];
}

function spaceToDepth(operation: Operation): Shape {
  const [batch = 1, depth = 1, height = 1, width = 1] = shapeOfRank(operation, 0, 4);
  const block = blockSize(operation);
  return [
    batch,
    product([depth, block ** 2]),
    floorDivide(height, block),
    floorDivide(width, block),
  ];
}

function blockSize(operation: Operation): number {
  const block = intOf(operation, "blocksize", 0);
  return block > 0 ? block : fault(`blocksize ${block}`);
}

export const layout: Rules = {
  Reshape: tensors((operation) => [reshape(operation)]),
  Flatten: tensors((operation) => [flatten(operation)]),
  Transpose: tensors((operation) => [transpose(operation)]),
  Squeeze: tensors((operation) => [squeeze(operation)]),
  Unsqueeze: tensors((operation) => [unsqueeze(operation)]),
  Expand: tensors((operation) => [expand(operation)]),
  Tile: tensors((operation) => [tile(operation)]),
  DepthToSpace: tensors((operation) => [depthToSpace(operation)]),
  SpaceToDepth: tensors((operation) => [spaceToDepth(operation)]),
};
