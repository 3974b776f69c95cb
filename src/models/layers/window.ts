// The sliding windows of convolutions and pools: their attributes in ONNX's order, and how many
// positions they have.

import { ModelError } from "../../onnx/index.ts";

/**
 * Zeros around the features: so many on each side (of each axis); `same` keeps the size at stride 1,
 * the odd one at the end; `full` takes every position that touches the input; `valid` is none.
 */
export type Padding = number | readonly number[] | "same" | "full" | "valid";

/** Lengths may be given once for all axes. */
export interface WindowOptions {
  readonly kernel: number | readonly number[];
  /** Default: 1. */
  readonly stride?: number | readonly number[];
  /** Default: none. */
  readonly padding?: Padding;
  /** Distance between neighbours of the kernel. Default: 1. */
  readonly dilation?: number | readonly number[];
  /** How the number of positions is rounded where the stride does not divide. Default: down. */
  readonly rounding?: "down" | "up";
}

/** A window with one entry an axis. */
export interface Window {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Lengths of what comes out. */
  readonly size: readonly number[];
}

/** The window over axes of these lengths. Throws ModelError when it does not fit. */
export function windowOver(
  lengths: readonly number[],
  options: WindowOptions,
  where: string,
): Window {
  const each = (of: number | readonly number[], what: string): readonly number[] => {
    const list = typeof of === "number" ? lengths.map(() => of) : of;
    const whole = list.every(
      (value) => Number.isInteger(value) && value >= (what === "padding" ? 0 : 1),
    );
    if (list.length === lengths.length && whole) return list;
    throw new ModelError(`a ${what} of [${list.join(", ")}] over ${lengths.length} axes`, where, {
      hint: "Give one whole number, or one for each axis behind the channels.",
    });
  };
  const { stride = 1, padding = 0, dilation = 1, rounding = "down" } = options;
  const kernel = each(options.kernel, "kernel");
  const strides = each(stride, "stride");
  const dilations = each(dilation, "dilation");
  const reach = kernel.map((length, axis) => (length - 1) * (dilations[axis] ?? 1));
  const [before, after] =
    typeof padding === "string" ? padded(reach, padding) : twice(each(padding, "padding"));
  const size = lengths.map((length, axis) => {
    const ahead = before[axis] ?? 0;
    const room = length + ahead + (after[axis] ?? 0) - 1 - (reach[axis] ?? 0);
    if (room < 0) {
      throw new ModelError(
        `a kernel that spans ${(reach[axis] ?? 0) + 1} does not fit ${length} elements`,
        where,
        { hint: "Use larger inputs, or fewer and smaller strides." },
      );
    }
    const step = strides[axis] ?? 1;
    if (rounding === "down") return Math.floor(room / step) + 1;
    // A window that would start in the padding at the end is left out (onnx, AveragePool).
    return Math.ceil(Math.min(room + step, length + ahead) / step);
  });
  return { kernel, strides, dilations, before, after, size };
}

const twice = (list: readonly number[]): readonly [readonly number[], readonly number[]] => [
  list,
  list,
];

function padded(
  reach: readonly number[],
  padding: "same" | "full" | "valid",
): readonly [before: readonly number[], after: readonly number[]] {
  switch (padding) {
    case "valid":
      return twice(reach.map(() => 0));
    case "full":
      return twice(reach);
    case "same": {
      const before = reach.map((length) => Math.floor(length / 2));
      return [before, reach.map((length, axis) => length - (before[axis] ?? 0))];
    }
    default:
      return padding satisfies never;
  }
}
