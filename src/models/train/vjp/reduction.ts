// Gradients of reductions: what was summed spreads out again.

import { intOf } from "../../../onnx/index.ts";
import type { Rules, Site, Vjp } from "./rule.ts";
import { axisFrom, range, sizeOf, type Value } from "./writer.ts";

/** The axes that a node reduces; all of them when it names none. */
function axesOf(site: Site): readonly number[] {
  const rank = site.input(0).dims.length;
  const axes = site.has(1) ? site.numbers(1) : [];
  if (axes.length > 0) return axes.map((axis) => axisFrom(axis, rank));
  return intOf(site.node, "noop_with_empty_axes", 0) === 0 ? range(0, rank) : [];
}

/** A value of the result's sizes with the reduced axes put back as 1. */
function kept(site: Site, value: Value): Value {
  const axes = axesOf(site);
  const dims = site.input(0).dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  return site.write.reshape(value, dims);
}

const countOf = (site: Site): number => {
  const { dims } = site.input(0);
  return sizeOf(axesOf(site).map((axis) => dims[axis] ?? 1));
};

/** A reduction whose gradient is `slope(x, y)` times that of the result. */
const reduction =
  (slope: (site: Site, dy: Value, y: () => Value) => Value): Vjp =>
  (site) => [
    () => {
      const dx = slope(site, kept(site, site.dy), () => kept(site, site.output()));
      return site.write.expand(dx, site.input(0).dims);
    },
  ];

/** Elements that share the extreme share the gradient equally. */
const extreme = reduction((site, dy, y) => {
  const { write } = site;
  const hits = write.indicator("Equal", site.input(0), y());
  return write.mul(hits, write.div(dy, write.sum(hits, axesOf(site))));
});

export const reductions: Rules = {
  ReduceSum: reduction((_, dy) => dy),
  ReduceMean: reduction((site, dy) => site.write.scale(dy, 1 / countOf(site))),
  ReduceMax: extreme,
  ReduceMin: extreme,
  ReduceL1: reduction(({ write, input }, dy) => write.mul(dy, write.unary("Sign", input(0)))),
  ReduceL2: reduction(({ write, input }, dy, y) => write.mul(input(0), write.div(dy, y()))),
  ReduceSumSquare: reduction(({ write, input }, dy) => write.mul(input(0), write.scale(dy, 2))),
  ReduceLogSum: reduction(({ write }, dy, y) => write.div(dy, write.unary("Exp", y()))),
  ReduceLogSumExp: reduction(({ write, input }, dy, y) =>
    write.mul(dy, write.unary("Exp", write.sub(input(0), y()))),
  ),
  ReduceProd: reduction(({ write, input }, dy, y) => write.mul(dy, write.div(y(), input(0)))),
};
