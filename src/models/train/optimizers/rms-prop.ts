// RMSProp (Tieleman & Hinton 2012), as PyTorch has it: epsilon outside of the root.

import { blend, named, type Optimizer, requireWithin, withPenalty } from "./optimizer.ts";

export interface RmsPropOptions {
  /** Decay of the mean square. Default: 0.99. */
  readonly alpha?: number;
  /** Default: 1e-8. */
  readonly epsilon?: number;
  /** Default: 0. */
  readonly momentum?: number;
  /** L2 penalty. Default: 0. */
  readonly weightDecay?: number;
}

/** s = a s + (1 - a) g^2; v = momentum v + g / (sqrt(s) + epsilon); p = p - rate v. */
export function rmsProp(options: RmsPropOptions = {}): Optimizer {
  const { alpha = 0.99, epsilon = 1e-8, momentum = 0, weightDecay = 0 } = options;
  requireWithin("alpha", alpha, [0, 1]);
  requireWithin("momentum", momentum, [0, 1]);
  requireWithin("epsilon", epsilon, [0, Number.POSITIVE_INFINITY]);
  requireWithin("weight decay", weightDecay, [0, Number.POSITIVE_INFINITY]);
  const velocitySlot = momentum > 0 ? [{ name: "velocity", inPlace: true }] : [];
  return {
    name: "rmsprop",
    weightDecay,
    slots: [{ name: "square", inPlace: true }, ...velocitySlot],
    scalars: (_, rate) => ({ rate }),
    update(of) {
      const { graph, parameter, scalars, slots, constant } = of;
      const gradient = withPenalty(of);
      const squared = graph.op("Mul", [gradient, gradient]);
      const square = blend(of, [named(slots, "square"), alpha], [squared, 1 - alpha]);
      const scale = graph.op("Add", [graph.op("Sqrt", [square]), constant(epsilon)]);
      const scaled = graph.op("Div", [gradient, scale]);
      const velocity =
        momentum > 0 ? blend(of, [named(slots, "velocity"), momentum], [scaled, 1]) : null;
      const step = graph.op("Mul", [velocity ?? scaled, named(scalars, "rate")]);
      return {
        parameter: graph.op("Sub", [parameter, step]),
        slots: velocity === null ? { square } : { square, velocity },
      };
    },
  };
}
