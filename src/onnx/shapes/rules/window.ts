// Sliding windows: how many positions a kernel has along an axis (onnx, docs/Operators.md: Conv,
// MaxPool, AveragePool, LpPool, ConvTranspose).

import { add, minimum, multiply, type Size, subtract } from "../dimension.ts";
import { ceilDivide, floorDivide } from "../dimension-division.ts";
import { formatSize } from "../dimension-text.ts";
import type { Shape } from "../inferred-type.ts";
import { fault, intOf, intsOf, type Operation, textOf } from "../operation.ts";

/** The attributes of a sliding window, one entry an axis. */
export interface Window {
  readonly kernel: Shape;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** All starts, then all ends. */
  readonly pads: readonly number[];
  readonly autoPad: string;
  readonly roundUp: boolean;
}

/** The window over so many axes; `kernel` is the one of the weights where there are weights. */
export function windowOf(operation: Operation, rank: number, kernel: Shape | null): Window {
  const stated = intsOf(operation, "kernel_shape");
  const ones = new Array<number>(rank).fill(1);
  const window: Window = {
    kernel: kernel ?? stated ?? fault("no kernel_shape"),
    strides: intsOf(operation, "strides") ?? ones,
    dilations: intsOf(operation, "dilations") ?? ones,
    pads: intsOf(operation, "pads") ?? new Array<number>(2 * rank).fill(0),
    autoPad: textOf(operation, "auto_pad", "NOTSET"),
    roundUp: intOf(operation, "ceil_mode", 0) === 1,
  };
  const { strides, dilations, pads } = window;
  const lengths = [window.kernel.length, stated?.length ?? rank, strides.length, dilations.length];
  if (lengths.some((length) => length !== rank) || pads.length !== 2 * rank) {
    fault(`kernel, strides, dilations and pads are not those of ${rank} axes`);
  }
  for (const positive of [...strides, ...dilations]) {
    if (positive < 1) fault(`a stride or dilation of ${positive}`);
  }
  return window;
}

/** Sizes of the axes that the window slides over. */
export const slide = (input: Shape, window: Window): Shape =>
  input.map((size, axis) => positions(size, window, axis));

function positions(size: Size, window: Window, axis: number): Size {
  const { strides, dilations, kernel, pads, autoPad, roundUp } = window;
  const stride = strides[axis] ?? 1;
  // Half of the padding on each side, so that only size and stride matter.
  if (autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER") return ceilDivide(size, stride);
  const before = autoPad === "VALID" ? 0 : (pads[axis] ?? 0);
  const after = autoPad === "VALID" ? 0 : (pads[axis + kernel.length] ?? 0);
  const span = add(multiply(subtract(kernel[axis] ?? 1, 1), dilations[axis] ?? 1), 1);
  const room = subtract(add(size, before + after), span);
  if (typeof room === "number" && room < 0) {
    // ONNX Runtime lets some of these through, dividing towards zero, with results of no meaning.
    const length = formatSize(add(size, before + after));
    fault(`a kernel spanning ${formatSize(span)} does not fit ${length} elements of axis ${axis}`);
  }
  if (!roundUp) return add(floorDivide(room, stride), 1);
  // A window that would start in the padding at the end is left out. Of two lengths divided by one
  // stride the smaller gives the smaller count.
  return ceilDivide(minimum(add(room, stride), add(size, before)), stride);
}

/** Sizes of the axes that a transposed window spreads over. */
export function spread(operation: Operation, input: Shape, window: Window): Shape {
  const stated = intsOf(operation, "output_shape");
  const outputPadding = intsOf(operation, "output_padding");
  return input.map((size, axis) => {
    // Some exporters state all axes, batch and channels included.
    const given = stated?.[axis + stated.length - input.length];
    if (given !== undefined) return given;
    const { strides, dilations, kernel, pads, autoPad } = window;
    const stride = strides[axis] ?? 1;
    const padding = autoPad === "VALID" ? 0 : (pads[axis] ?? 0) + (pads[axis + kernel.length] ?? 0);
    const span = add(multiply(subtract(kernel[axis] ?? 1, 1), dilations[axis] ?? 1), 1);
    const reach = add(multiply(subtract(size, 1), stride), span);
    const whole = add(reach, outputPadding?.[axis] ?? 0);
    // Padding cuts down to size x stride; what is shorter already ONNX Runtime leaves as it is.
    const same = autoPad === "SAME_UPPER" || autoPad === "SAME_LOWER";
    return same ? minimum(multiply(size, stride), whole) : subtract(whole, padding);
  });
}
