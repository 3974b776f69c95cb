// Adagrad (Duchi, Hazan, Singer 2011), as PyTorch has it.

import { named, type Optimizer, requireWithin, withPenalty } from "./optimizer.ts";

export interface AdagradOptions {
  /** Default: 1e-10. */
  readonly epsilon?: number;
  /** The rate of step t is divided by 1 + (t - 1) rateDecay. Default: 0. */
  readonly rateDecay?: number;
  /** L2 penalty. Default: 0. */
  readonly weightDecay?: number;
}

/** s = s + g^2; p = p - rate g / (sqrt(s) + epsilon). */
export function adagrad(options: AdagradOptions = {}): Optimizer {
  const { epsilon = 1e-10, rateDecay = 0, weightDecay = 0 } = options;
  const positive = [0, Number.POSITIVE_INFINITY] as const;
  requireWithin("epsilon", epsilon, positive);
  requireWithin("rate decay", rateDecay, positive);
  requireWithin("weight decay", weightDecay, positive);
  return {
    name: "adagrad",
    weightDecay,
    slots: [{ name: "sum", inPlace: true }],
    scalars: (step, rate) => ({ rate: rate / (1 + (step - 1) * rateDecay) }),
    update(of) {
      const { graph, parameter, scalars, slots, constant } = of;
      const gradient = withPenalty(of);
      const sum = graph.op("Add", [named(slots, "sum"), graph.op("Mul", [gradient, gradient])]);
      const scale = graph.op("Add", [graph.op("Sqrt", [sum]), constant(epsilon)]);
      const step = graph.op("Mul", [graph.op("Div", [gradient, scale]), named(scalars, "rate")]);
      return { parameter: graph.op("Sub", [parameter, step]), slots: { sum } };
    },
  };
}
