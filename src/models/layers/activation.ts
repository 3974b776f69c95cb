// Non-linearities by name.

import type { Features } from "./features.ts";
import type { LayerScope } from "./scope.ts";

export type ActivationName = keyof typeof ACTIVATIONS;

/** Emits one non-linearity on a value; gives the name of the result. */
type Emit = (at: LayerScope, value: string) => string;

const scalar = (at: LayerScope, value: number): string =>
  at.graph.constant("float32", { dims: [], values: [value] });

const operator =
  (type: string, attributes: Readonly<Record<string, number>> = {}): Emit =>
  ({ graph }, value) =>
    graph.op(type, [value], attributes);

const ACTIVATIONS = {
  identity: (_, value) => value,
  relu: operator("Relu"),
  relu6: (at, value) => at.graph.op("Clip", [value, scalar(at, 0), scalar(at, 6)]),
  "leaky-relu": operator("LeakyRelu", { alpha: 0.01 }),
  tanh: operator("Tanh"),
  // LeCun et al. 1998, appendix A: A tanh(S a) with A = 1.7159, S = 2/3, so that f(1) = 1 and f(-1) = -1.
  "scaled-tanh": (at, value) => {
    const inner = at.graph.op("Mul", [value, scalar(at, 2 / 3)]);
    return at.graph.op("Mul", [at.graph.op("Tanh", [inner]), scalar(at, 1.7159)]);
  },
  sigmoid: operator("Sigmoid"),
  // Howard et al. 2019: relu6(x + 3) / 6.
  "hard-sigmoid": operator("HardSigmoid", { alpha: 1 / 6, beta: 0.5 }),
  "hard-swish": operator("HardSwish"),
  silu: (at, value) => at.graph.op("Mul", [value, at.graph.op("Sigmoid", [value])]),
  gelu: operator("Gelu"),
} as const satisfies Readonly<Record<string, Emit>>;

/** The names of all activations. */
export const activationNames = Object.keys(ACTIVATIONS) as readonly ActivationName[];

/** Applies a non-linearity to every element. */
export function activation(at: LayerScope, x: Features, name: ActivationName): Features {
  return { value: ACTIVATIONS[name](at, x.value), shape: x.shape };
}

/** max(x, 0). */
export const relu = (at: LayerScope, x: Features): Features => activation(at, x, "relu");
