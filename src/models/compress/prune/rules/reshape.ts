// Operators that read the same elements in another shape: Reshape, Flatten, Squeeze, Unsqueeze.
//
// Axes before and after are cut into the smallest runs of equal products. A run of one axis on each side
// is that axis; in any other run (merging [C, H, W] to [C H W], parting [768] into [12, 64] heads) one axis
// of each side is followed, the outermost that may change, and the rest is kept whole. Two followed
// indices are joined when any element has both, so what one side removes the other removes too, and the
// elements that stay keep their order: the reshaped tensor is the reshape of what stays.

import { multiplySizes, type Shape, type Size, sameSize } from "../../../../onnx/index.ts";
import { greatestDivisor } from "../../greatest-divisor.ts";
import { withList } from "../axes-of.ts";
import type { AxisRef } from "../coupling.ts";
import { type Relating, type Rule, shapeOf } from "../relating.ts";

/** Axes from `from` up to `to` of each side, with equal products. */
interface Run {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** The finest runs of equal products; axes of size 1 belong to none. */
function runsOf(before: Shape, after: Shape): readonly Run[] {
  const [left, right] = [prefixProducts(before), prefixProducts(after)];
  const runs: Run[] = [];
  let [i, j] = [0, 0];
  for (let a = 1; a < left.length; a++) {
    const product = left[a] ?? 1;
    const b = right.findIndex((other, at) => at > j && sameSize(other, product));
    if (b < 0 || sameSize(product, left[i] ?? 1)) continue;
    runs.push({ before: wide(before, i, a), after: wide(after, j, b) });
    [i, j] = [a, b];
  }
  if (i < before.length || j < after.length) {
    runs.push({ before: wide(before, i, before.length), after: wide(after, j, after.length) });
  }
  return runs.filter((run) => run.before.length + run.after.length > 0);
}

function prefixProducts(shape: Shape): readonly Size[] {
  const products: Size[] = [1];
  for (const size of shape) products.push(multiplySizes(products.at(-1) ?? 1, size));
  return products;
}

const wide = (shape: Shape, from: number, to: number): readonly number[] =>
  Array.from({ length: to - from }, (_, at) => from + at).filter((axis) => shape[axis] !== 1);

function relateReshape(at: Relating): void {
  const [x = ""] = at.node.inputs;
  const [y = ""] = at.node.outputs;
  const [before, after] = [shapeOf(at, x), shapeOf(at, y)];
  for (const run of runsOf(before, after)) {
    const sides = { x, y, before, after };
    const [only, single] = [run.before[0], run.after[0]];
    if (
      run.before.length === 1 &&
      run.after.length === 1 &&
      only !== undefined &&
      single !== undefined
    ) {
      at.same([x, only], [y, single]);
    } else relateRun(at, run, sides);
  }
}

interface Sides {
  readonly x: string;
  readonly y: string;
  readonly before: Shape;
  readonly after: Shape;
}

function relateRun(at: Relating, run: Run, { x, y, before, after }: Sides): void {
  const keep = (value: string, axes: readonly number[], but?: number): void => {
    for (const axis of axes) {
      if (axis !== but) at.freeze([value, axis], `${at.node.opType} merges or parts it`);
    }
  };
  const [from, to] = [followed(at, x, run.before), followed(at, y, run.after)];
  const sizes = [
    ...run.before.map((axis) => before[axis]),
    ...run.after.map((axis) => after[axis]),
  ];
  const fixed = sizes.every((size) => typeof size === "number");
  if (from === null || to === null || !fixed) {
    keep(x, run.before);
    keep(y, run.after);
    return;
  }
  keep(x, run.before, from);
  keep(y, run.after, to);
  const [outer, inner] = [strideOf(before, run.before, from), strideOf(after, run.after, to)];
  const total = run.before.reduce((product, axis) => product * Number(before[axis]), 1);
  const [fromSize, toSize] = [Number(before[from]), Number(after[to])];
  const refs: readonly [AxisRef, AxisRef] = [
    [x, from],
    [y, to],
  ];
  joinPositions(at, refs, { outer, inner, total, fromSize, toSize });
}

/** Joins the followed indices of every element of the run. */
function joinPositions(
  at: Relating,
  [from, to]: readonly [AxisRef, AxisRef],
  of: {
    readonly outer: number;
    readonly inner: number;
    readonly total: number;
    readonly fromSize: number;
    readonly toSize: number;
  },
): void {
  const pairs = new Set<number>();
  // Both indices stay the same over this many positions.
  const step = greatestDivisor(of.outer, of.inner);
  for (let position = 0; position < of.total; position += step) {
    const a = Math.floor(position / of.outer) % of.fromSize;
    const b = Math.floor(position / of.inner) % of.toSize;
    pairs.add(a * of.toSize + b);
  }
  for (const pair of pairs) {
    const [a, b] = [Math.floor(pair / of.toSize), pair % of.toSize];
    at.join([from, a], [to, b]);
  }
}

/** Elements of the run from one index of the axis to the next. */
const strideOf = (shape: Shape, axes: readonly number[], of: number): number =>
  axes.filter((axis) => axis > of).reduce((product, axis) => product * Number(shape[axis]), 1);

/** The outermost axis that may change; null when there is none. */
const followed = (at: Relating, value: string, axes: readonly number[]): number | null =>
  axes.find((axis) => !at.isFixed([value, axis])) ?? null;

/** Squeeze, Unsqueeze and Flatten take what comes; the target of a Reshape names sizes. */
export const reshape: Rule = {
  relate: relateReshape,
  rewrite(at) {
    const [, target = ""] = at.node.inputs;
    const [y = ""] = at.node.outputs;
    if (at.node.opType !== "Reshape") return at.node;
    const sizes = at.integers(target);
    if (sizes === null || sizes.every((_, axis) => at.kept([y, axis]) === null)) return at.node;
    const changed = sizes.map((size, axis) =>
      size > 0 ? (at.kept([y, axis])?.length ?? size) : size,
    );
    return withList(at, { attribute: "shape", input: 1 }, changed);
  },
};
