// Gradients of operators that only move elements.

import { intOf, intsOf } from "../../../onnx/index.ts";
import type { Rules, Vjp } from "./rule.ts";
import { axisFrom, range, type Value } from "./writer.ts";

/** Reshape, Flatten, Squeeze, Unsqueeze: the same elements in the sizes they had. */
const reshaped: Vjp = (site) => [() => site.write.reshape(site.dy, site.input(0).dims)];

const transpose: Vjp = (site) => [
  () => {
    const rank = site.input(0).dims.length;
    const perm = intsOf<null>(site.node, "perm", null) ?? range(0, rank).toReversed();
    return site.write.transpose(
      site.dy,
      range(0, rank).map((axis) => perm.indexOf(axis)),
    );
  },
];

const concat: Vjp = (site) => {
  const axis = axisFrom(intOf(site.node, "axis", 0), site.output().dims.length);
  let end = 0;
  return site.node.inputs.map((_, index) => {
    const start = end;
    end += site.input(index).dims[axis] ?? 0;
    const cut = { axis, start, end };
    return () => site.write.slice(site.dy, [cut]);
  });
};

/** Parts that the loss does not depend on count as zeros. */
const split: Vjp = (site) => [
  () => {
    const axis = axisFrom(intOf(site.node, "axis", 0), site.input(0).dims.length);
    const parts = site.node.outputs.map((_, index): Value => {
      const { dims, dataType } = site.output(index);
      return site.upstream(index) ?? site.write.full(dims, 0, dataType);
    });
    return site.write.concat(parts, axis);
  },
];

const expand: Vjp = (site) => [() => site.write.sumTo(site.dy, site.input(0).dims)];

export const shapes: Rules = {
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: transpose,
  Concat: concat,
  Split: split,
  Expand: expand,
};
