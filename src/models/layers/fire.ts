// SqueezeNet's fire module (Iandola et al. 2016, section 3.2).

import { relu } from "./activation.ts";
import { concat } from "./combine.ts";
import { conv } from "./conv.ts";
import type { Features } from "./features.ts";
import { type LayerScope, within } from "./scope.ts";

export interface FireOptions {
  /** 1 x 1 filters that bring the channels down. */
  readonly squeeze: number;
  /** Filters of each of the two kinds, 1 x 1 and 3 x 3, that bring them up again. */
  readonly expand: number;
  readonly name?: string;
}

/** Squeeze to few channels, expand by 1 x 1 and 3 x 3 filters side by side. */
export function fire(at: LayerScope, x: Features, options: FireOptions): Features {
  const { squeeze, expand, name = "fire" } = options;
  const inner = within(at, name);
  const few = relu(inner, conv(inner, x, { filters: squeeze, kernel: 1, name: "squeeze1x1" }));
  const ones = conv(inner, few, { filters: expand, kernel: 1, name: "expand1x1" });
  const threes = conv(inner, few, {
    filters: expand,
    kernel: 3,
    padding: "same",
    name: "expand3x3",
  });
  return concat(inner, relu(inner, ones), relu(inner, threes));
}
