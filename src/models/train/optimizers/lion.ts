// Lion (Chen et al. 2023, arXiv 2302.06675, algorithm 2): the sign of a momentum.

import { blend, decayed, named, type Optimizer, requireWithin } from "./optimizer.ts";

export interface LionOptions {
  /** Share of the momentum in the direction, and in the next momentum. Default: [0.9, 0.99]. */
  readonly betas?: readonly [number, number];
  /** Shrinks the parameter itself. Default: 0. */
  readonly weightDecay?: number;
}

/** p = p (1 - rate decay) - rate sign(b1 m + (1 - b1) g); m = b2 m + (1 - b2) g. */
export function lion(options: LionOptions = {}): Optimizer {
  const { betas = [0.9, 0.99], weightDecay = 0 } = options;
  const [b1, b2] = betas;
  requireWithin("the first beta", b1, [0, 1]);
  requireWithin("the second beta", b2, [0, 1]);
  requireWithin("weight decay", weightDecay, [0, Number.POSITIVE_INFINITY]);
  return {
    name: "lion",
    weightDecay,
    // The direction reads the old momentum as well.
    slots: [{ name: "momentum", inPlace: false }],
    scalars: (_, rate) => ({ rate }),
    update(of) {
      const { graph, gradient, scalars, slots } = of;
      const old = named(slots, "momentum");
      const sign = graph.op("Sign", [blend(of, [old, b1], [gradient, 1 - b1])]);
      const step = graph.op("Mul", [sign, named(scalars, "rate")]);
      return {
        parameter: graph.op("Sub", [decayed(of), step]),
        slots: { momentum: blend(of, [old, b2], [gradient, 1 - b2]) },
      };
    },
  };
}
