// Where the windows of convolutions and pools lie on their input.

import { intOf, intsOf, type Node, textOf } from "../../../onnx/index.ts";
import { range } from "./writer.ts";

/** Windows along the spatial axes. */
export interface Windows {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before the first element. */
  readonly begin: readonly number[];
  /**
   * Padding after the last element that windows reach; negative is a tail that none reads. Rounding up
   * (ceil_mode) can make it more than the node states, rounding down less.
   */
  readonly end: readonly number[];
  /** Padding after the last element as the node states it. */
  readonly statedEnd: readonly number[];
}

/** The windows of a node by the sizes of its input and output, automatic padding resolved. */
export function windowsOf(
  node: Node,
  sizes: {
    readonly input: readonly number[];
    readonly output: readonly number[];
    readonly kernel: readonly number[];
  },
): Windows {
  const { input, output, kernel } = sizes;
  const rank = kernel.length;
  const ones = range(0, rank).map(() => 1);
  const strides = intsOf<null>(node, "strides", null) ?? ones;
  const dilations = intsOf<null>(node, "dilations", null) ?? ones;
  const reach = range(0, rank).map(
    (axis) => ((output[axis] ?? 1) - 1) * (strides[axis] ?? 1) + spanOf(axis, kernel, dilations),
  );
  const missing = reach.map((size, axis) => size - (input[axis] ?? 0));
  const pads = statedPads(node, missing);
  const begin = pads.slice(0, rank);
  return {
    kernel,
    strides,
    dilations,
    begin,
    end: missing.map((size, axis) => size - (begin[axis] ?? 0)),
    statedEnd: pads.slice(rank),
  };
}

/** Elements from the first to the last that a window reads. */
const spanOf = (axis: number, kernel: readonly number[], dilations: readonly number[]): number =>
  (dilations[axis] ?? 1) * ((kernel[axis] ?? 1) - 1) + 1;

/** SAME pads half of what is missing on either side, the odd one at the end or the beginning. */
function statedPads(node: Node, missing: readonly number[]): readonly number[] {
  const none = missing.map(() => 0);
  const automatic = textOf(node, "auto_pad", "NOTSET");
  if (automatic === "NOTSET") return intsOf<null>(node, "pads", null) ?? [...none, ...none];
  if (automatic === "VALID") return [...none, ...none];
  const total = missing.map((size) => Math.max(0, size));
  const less = total.map((size) => Math.floor(size / 2));
  const more = total.map((size) => Math.ceil(size / 2));
  return automatic === "SAME_UPPER" ? [...less, ...more] : [...more, ...less];
}

/** Whether windows touch each element at most once. */
export const disjoint = ({ kernel, strides, dilations }: Windows): boolean =>
  kernel.every((size, axis) => size <= (strides[axis] ?? 1) && (dilations[axis] ?? 1) === 1);

/** Windows side by side, with at most a tail that none reads. */
export const tiles = ({ kernel, strides, dilations, begin, end }: Windows): boolean =>
  kernel.every((size, axis) => size === strides[axis]) &&
  dilations.every((step) => step === 1) &&
  begin.every((pad) => pad === 0) &&
  end.every((pad) => pad <= 0);

/** Number of output channels groups share out. */
export const groupsOf = (node: Node): number => intOf(node, "group", 1);
