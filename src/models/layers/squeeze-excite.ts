// Squeeze and excitation (Hu et al. 2017): every channel weighed by what all of them look like.

import { type ActivationName, activation, relu } from "./activation.ts";
import { conv } from "./conv.ts";
import { channelsOf, type Features } from "./features.ts";
import { globalMean } from "./pool.ts";
import { type LayerScope, unshrunk, within } from "./scope.ts";

export interface SqueezeExciteOptions {
  /** How many times fewer units the middle layer has than there are channels. Default: 16. */
  readonly reduction?: number;
  /** Between 0 and 1. MobileNetV3 has `hard-sigmoid`. Default: `sigmoid`. */
  readonly gate?: ActivationName;
  readonly name?: string;
}

/** `x * gate(W2 relu(W1 mean(x)))`, channel by channel. */
export function squeezeExcite(
  at: LayerScope,
  x: Features,
  options: SqueezeExciteOptions = {},
): Features {
  const { reduction = 16, gate = "sigmoid", name = "se" } = options;
  const inner = unshrunk(within(at, name));
  const channels = channelsOf(x);
  const few = Math.max(1, Math.round(channels / reduction));
  const squeezed = conv(inner, globalMean(inner, x), { filters: few, kernel: 1, name: "reduce" });
  const excited = conv(inner, relu(inner, squeezed), {
    filters: channels,
    kernel: 1,
    name: "expand",
  });
  const scale = activation(inner, excited, gate);
  return { value: inner.graph.op("Mul", [x.value, scale.value]), shape: x.shape };
}
