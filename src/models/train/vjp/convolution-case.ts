// A convolution as plain data, and the convolutions that its gradients are made of.

import type { Result, Value, Writer } from "./writer.ts";

/** Sizes of input, weights and output, and how the windows lie. */
export interface ConvCase {
  readonly x: readonly number[];
  readonly w: readonly number[];
  readonly y: readonly number[];
  readonly group: number;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begin: readonly number[];
  /** Negative where a tail of the input is not read. */
  readonly end: readonly number[];
}

/** How a convolution is written. */
export interface ConvOptions {
  readonly dims: readonly number[];
  readonly group: number;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begin: readonly number[];
  readonly end: readonly number[];
}

/** Adds a Conv. Padding must not be negative. */
export function writeConv(write: Writer, x: Value, w: Value, options: ConvOptions): Value {
  const { dims, group, strides, dilations, begin, end } = options;
  const attributes = {
    kernel_shape: w.dims.slice(2),
    pads: [...begin, ...end],
    group,
    strides,
    dilations,
  };
  return write.op("Conv", [x, w], { dims, attributes } satisfies Result);
}

/** The part of the input that windows read, and the padding after it. */
export function readPart(
  write: Writer,
  x: Value,
  { end }: Pick<ConvCase, "end">,
): { readonly x: Value; readonly end: readonly number[] } {
  const cuts = end.flatMap((pad, axis) =>
    pad < 0 ? [{ axis: axis + 2, start: 0, end: (x.dims[axis + 2] ?? 0) + pad }] : [],
  );
  return { x: write.slice(x, cuts), end: end.map((pad) => Math.max(0, pad)) };
}

/** Every spatial axis backwards. */
export function flipped(write: Writer, w: Value): Value {
  const axes = w.dims.slice(2).map((_, axis) => axis + 2);
  const real = axes.filter((axis) => w.dims[axis] !== 1);
  if (real.length === 0) return w;
  const back = real.map(() => -1);
  // One before the first element, which counted from the end lies beyond the length.
  const ends = real.map((axis) => -(w.dims[axis] ?? 0) - 1);
  const bounds = [back, ends, real, back].map((values) => write.ints(values));
  return write.op("Slice", [w, ...bounds], { dims: w.dims });
}

export const isDepthwise = ({ x, w, group }: ConvCase): boolean =>
  group > 1 && group === x[1] && w[0] === group;

/** Kernel, strides and padding of a matrix product: one pixel at a time. */
export const isPointwise = ({ w, strides, begin, end }: ConvCase): boolean =>
  w.slice(2).every((size) => size === 1) &&
  strides.every((step) => step === 1) &&
  [...begin, ...end].every((pad) => pad === 0);
