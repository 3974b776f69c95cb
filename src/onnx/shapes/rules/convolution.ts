// Convolutions and pooling.

import { multiply, type Size } from "../dimension.ts";
import type { Shape } from "../inferred-type.ts";
import {
  axisSize,
  elementTypeAt,
  fault,
  hasInput,
  intOf,
  intsOf,
  mustAgree,
  type Operation,
  type Rules,
  shapeAt,
  shapeFromRank,
  shapeOfRank,
  sizesAt,
  tensors,
  typed,
  typeOfInput,
} from "../operation.ts";
import { slide, spread, windowOf } from "./window.ts";

/** Batch, channels and the axes behind them. */
function split(shape: Shape): { batch: Size; channels: Size; space: Shape } {
  return { batch: axisSize(shape, 0), channels: axisSize(shape, 1), space: shape.slice(2) };
}

/** A convolution whose weights are input `weights` (the quantised ones carry scales in between). */
export function convolve(operation: Operation, weights: number): Shape {
  const data = split(shapeFromRank(operation, 0, 3));
  const kernel = shapeOfRank(operation, weights, data.space.length + 2);
  const groups = intOf(operation, "group", 1);
  mustAgree(
    data.channels,
    multiply(axisSize(kernel, 1), groups),
    () => "channels of data and weights",
  );
  const window = windowOf(operation, data.space.length, kernel.slice(2));
  return [data.batch, axisSize(kernel, 0), ...slide(data.space, window)];
}

function transposedConvolution(operation: Operation): Shape {
  const data = split(shapeFromRank(operation, 0, 3));
  const kernel = shapeOfRank(operation, 1, data.space.length + 2);
  mustAgree(data.channels, axisSize(kernel, 0), () => "channels of data and weights");
  const groups = intOf(operation, "group", 1);
  const window = windowOf(operation, data.space.length, kernel.slice(2));
  const channels = multiply(axisSize(kernel, 1), groups);
  return [data.batch, channels, ...spread(operation, data.space, window)];
}

/** Sizes after pooling; a second output of MaxPool, the indices, has the same. */
export function pool(operation: Operation): readonly Shape[] {
  const { batch, channels, space } = split(shapeFromRank(operation, 0, 3));
  const pooled = [batch, channels, ...slide(space, windowOf(operation, space.length, null))];
  return [pooled, pooled];
}

export function globalPool(operation: Operation): readonly Shape[] {
  const { batch, channels, space } = split(shapeFromRank(operation, 0, 2));
  return [[batch, channels, ...space.map(() => 1)]];
}

function unpool(operation: Operation): Shape {
  if (hasInput(operation, 2)) return sizesAt(operation, 2) ?? fault("output_shape has no length");
  const { batch, channels, space } = split(shapeFromRank(operation, 0, 3));
  return [batch, channels, ...spread(operation, space, windowOf(operation, space.length, null))];
}

/** Regions of interest, each pooled to one size. */
function pooledRegions(operation: Operation, [height, width]: readonly number[]): Shape {
  const [, channels = 1] = shapeOfRank(operation, 0, 4);
  const [regions = 1] = shapeAt(operation, 1);
  return [regions, channels, height ?? 1, width ?? 1];
}

/** Undoes the cutting into blocks: [batch, channels x block, blocks] to [batch, channels, ...image]. */
function columnsToImage(operation: Operation): Shape {
  const [batch = 1, columns = 1] = shapeOfRank(operation, 0, 3);
  const image = sizesAt(operation, 1) ?? fault("image_shape has no length");
  const block = sizesAt(operation, 2) ?? fault("block_shape has no length");
  const size = block.reduce<Size>(multiply, 1);
  const whole = typeof columns === "number" && typeof size === "number" && size > 0;
  if (whole && columns % size !== 0) fault(`${columns} columns are no blocks of ${size}`);
  return [batch, whole ? columns / size : operation.mint("channels"), ...image];
}

const perRegion = tensors((operation) => [
  pooledRegions(operation, [
    intOf(operation, "output_height", 1),
    intOf(operation, "output_width", 1),
  ]),
]);

export const convolutions: Rules = {
  Conv: tensors((operation) => [convolve(operation, 1)]),
  ConvInteger: tensors((operation) => [convolve(operation, 1)], typed("int32")),
  QLinearConv: tensors((operation) => [convolve(operation, 3)], typeOfInput(7)),
  ConvTranspose: tensors((operation) => [transposedConvolution(operation)]),
  DeformConv: tensors((operation) => [convolve(operation, 1)]),
  MaxPool: tensors(pool, typed(null, "int64")),
  AveragePool: tensors(pool),
  LpPool: tensors(pool),
  GlobalAveragePool: tensors(globalPool),
  GlobalMaxPool: tensors(globalPool),
  GlobalLpPool: tensors(globalPool),
  MaxUnpool: tensors((operation) => [unpool(operation)]),
  MaxRoiPool: tensors((operation) => [
    pooledRegions(operation, intsOf(operation, "pooled_shape") ?? []),
  ]),
  RoiAlign: perRegion,
  Col2Im: tensors((operation) => [columnsToImage(operation)]),
  // A causal convolution keeps the length; its state holds the last kernel - 1 elements.
  CausalConvWithState: tensors(
    (operation) => {
      const [batch = 1, channels = 1, length = 1] = shapeOfRank(operation, 0, 3);
      const kernel = axisSize(shapeOfRank(operation, 1, 3), 2);
      const past = typeof kernel === "number" ? kernel - 1 : operation.mint("state");
      return [
        [batch, channels, length],
        [batch, channels, past],
      ];
    },
    (operation) => [elementTypeAt(operation, 0)],
  ),
};
