// Gradient descent: plain, with momentum, with Nesterov's.

import {
  blend,
  named,
  type Optimizer,
  requireWithin,
  type Update,
  type Updated,
  withPenalty,
} from "./optimizer.ts";

export interface SgdOptions {
  /** Share of the last direction that is kept, in [0, 1). Default: 0. */
  readonly momentum?: number;
  /** Looks ahead along the momentum (Nesterov 1983, as in Sutskever et al. 2013). Default: false. */
  readonly nesterov?: boolean;
  /** L2 penalty. Default: 0. */
  readonly weightDecay?: number;
}

/**
 * d = g + decay p; v = momentum v + d; p = p - rate v, with Nesterov p - rate (d + momentum v). The rate
 * stands outside of the momentum, as in PyTorch; v starts from 0.
 */
export function sgd(options: SgdOptions = {}): Optimizer {
  const { momentum = 0, nesterov = false, weightDecay = 0 } = options;
  requireWithin("momentum", momentum, [0, 1]);
  requireWithin("weight decay", weightDecay, [0, Number.POSITIVE_INFINITY]);
  if (nesterov && momentum === 0) throw new RangeError("Nesterov's method needs a momentum");
  return {
    name: nesterov ? "nesterov" : momentum > 0 ? "momentum" : "sgd",
    weightDecay,
    slots: momentum > 0 ? [{ name: "velocity", inPlace: true }] : [],
    scalars: (_, rate) => ({ rate }),
    update(of) {
      const direction = withPenalty(of);
      if (momentum === 0) return descend(of, direction, {});
      const velocity = blend(of, [named(of.slots, "velocity"), momentum], [direction, 1]);
      const ahead = nesterov ? blend(of, [velocity, momentum], [direction, 1]) : velocity;
      return descend(of, ahead, { velocity });
    },
  };
}

function descend(of: Update, direction: string, slots: Updated["slots"]): Updated {
  const { graph, parameter, scalars } = of;
  const step = graph.op("Mul", [direction, named(scalars, "rate")]);
  return { parameter: graph.op("Sub", [parameter, step]), slots };
}
