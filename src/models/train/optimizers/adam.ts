// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019).

import {
  blend,
  decayed,
  named,
  type Optimizer,
  requireWithin,
  type Update,
  type Updated,
  withPenalty,
} from "./optimizer.ts";

export interface AdamOptions {
  /** Decay of the mean and of the mean square. Default: [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the corrected mean square. Default: 1e-8. */
  readonly epsilon?: number;
  /** Adam: an L2 penalty, default 0. AdamW: shrinks the parameter itself, default 0.01. */
  readonly weightDecay?: number;
}

/**
 * m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; p = p - rate m^ / (sqrt(v^) + epsilon) with
 * m^ = m / (1 - b1^t), v^ = v / (1 - b2^t). A penalty is part of g.
 */
export const adam = (options: AdamOptions = {}): Optimizer =>
  moments("adam", { weightDecay: 0, ...options }, (of) => ({
    gradient: withPenalty(of),
    parameter: of.parameter,
  }));

/** Adam on the bare gradient, after p = p (1 - rate decay). */
export const adamW = (options: AdamOptions = {}): Optimizer =>
  moments("adamw", { weightDecay: 0.01, ...options }, (of) => ({
    gradient: of.gradient,
    parameter: decayed(of),
  }));

function moments(
  name: string,
  options: AdamOptions & { readonly weightDecay: number },
  start: (of: Update) => { readonly gradient: string; readonly parameter: string },
): Optimizer {
  const { betas = [0.9, 0.999], epsilon = 1e-8, weightDecay } = options;
  const [b1, b2] = betas;
  requireWithin("the first beta", b1, [0, 1]);
  requireWithin("the second beta", b2, [0, 1]);
  requireWithin("epsilon", epsilon, [0, Number.POSITIVE_INFINITY]);
  requireWithin("weight decay", weightDecay, [0, Number.POSITIVE_INFINITY]);
  return {
    name,
    weightDecay,
    slots: [
      { name: "mean", inPlace: true },
      { name: "square", inPlace: true },
    ],
    // p - rate m^ / (sqrt(v^) + e) with the corrections drawn out of the roots: two operators fewer on
    // every element.
    scalars(step, rate) {
      const root = Math.sqrt(1 - b2 ** step);
      return { rate, stride: (rate * root) / (1 - b1 ** step), epsilon: epsilon * root };
    },
    update(of): Updated {
      const { graph, scalars, slots } = of;
      const { gradient, parameter } = start(of);
      const mean = blend(of, [named(slots, "mean"), b1], [gradient, 1 - b1]);
      const squared = graph.op("Mul", [gradient, gradient]);
      const square = blend(of, [named(slots, "square"), b2], [squared, 1 - b2]);
      const scale = graph.op("Add", [graph.op("Sqrt", [square]), named(scalars, "epsilon")]);
      const direction = graph.op("Div", [mean, scale]);
      const step = graph.op("Mul", [direction, named(scalars, "stride")]);
      return { parameter: graph.op("Sub", [parameter, step]), slots: { mean, square } };
    },
  };
}
