// Transforms of signals and images: Fourier transforms, sampling grids, boxes.

import { add, type Size, subtract } from "../dimension.ts";
import { floorDivide } from "../dimension-division.ts";
import type { Shape } from "../inferred-type.ts";
import {
  axisOf,
  axisSize,
  fault,
  hasInput,
  intOf,
  notInferable,
  type Operation,
  type Rules,
  scalarAt,
  shapeAt,
  shapeFromRank,
  shapeOfRank,
  sizesAt,
  tensors,
  typed,
} from "../operation.ts";
import { sizeOf } from "./creation.ts";

/** Bins of a one-sided spectrum. */
const halfSpectrum = (length: Size): Size => add(floorDivide(length, 2), 1);

function fourier(operation: Operation): Shape {
  const shape = shapeFromRank(operation, 0, 2);
  // The axis is an attribute in opset 17 and an input from opset 20 on.
  const stated = hasInput(operation, 2)
    ? scalarAt(operation, 2)
    : intOf(operation, "axis", operation.version < 20 ? 1 : -2);
  if (typeof stated !== "number") return notInferable("the axis is only known at run time");
  const axis = axisOf(stated, shape.length);
  const oneSided = intOf(operation, "onesided", 0) === 1;
  const inverse = intOf(operation, "inverse", 0) === 1;
  const given = hasInput(operation, 1) ? sizeOf(operation, 1) : null;
  if (oneSided && inverse) {
    // A one-sided spectrum of n/2 + 1 bins goes back to n real samples.
    const length = given ?? subtract(add(axisSize(shape, axis), axisSize(shape, axis)), 2);
    return shape.with(axis, length).with(-1, 1);
  }
  const length = given ?? axisSize(shape, axis);
  return shape.with(axis, oneSided ? halfSpectrum(length) : length).with(-1, 2);
}

function shortTimeFourier(operation: Operation): Shape {
  const [batch = 1, length = 1] = shapeOfRank(operation, 0, 3);
  const step = scalarAt(operation, 1);
  const frame = hasInput(operation, 3)
    ? sizeOf(operation, 3)
    : axisSize(shapeOfRank(operation, 2, 1), 0);
  const oneSided = intOf(operation, "onesided", 1) === 1;
  const frames =
    step === null ? operation.mint("frames") : add(floorDivide(subtract(length, frame), step), 1);
  return [batch, frames, oneSided ? halfSpectrum(frame) : frame, 2];
}

function gridSample(operation: Operation): Shape {
  const data = shapeFromRank(operation, 0, 3);
  const grid = shapeAt(operation, 1);
  if (grid.length !== data.length) fault("the grid has not the rank of the data");
  return [axisSize(data, 0), axisSize(data, 1), ...grid.slice(1, -1)];
}

function affineGrid(operation: Operation): Shape {
  const [batch = 1, , ...space] = sizesAt(operation, 1) ?? notInferable("the size is not known");
  return [batch, ...space, space.length];
}

export const signals: Rules = {
  DFT: tensors((operation) => [fourier(operation)]),
  STFT: tensors((operation) => [shortTimeFourier(operation)]),
  GridSample: tensors((operation) => [gridSample(operation)]),
  AffineGrid: tensors((operation) => [affineGrid(operation)]),
  NonMaxSuppression: tensors((operation) => [[operation.mint(), 3]], typed("int64")),
  ImageDecoder: tensors(
    (operation) => [
      [operation.mint("height"), operation.mint("width"), operation.mint("channels")],
    ],
    typed("uint8"),
  ),
};
