// SqueezeNet's fire module (Iandola et al. 2016, section 3.2).

import { concat } from "./combine.ts";
import { type BlockStyle, convBlock } from "./conv-block.ts";
import type { Features } from "./features.ts";
import { type LayerScope, within } from "./scope.ts";

export interface FireOptions extends Pick<BlockStyle, "norm"> {
  /** 1 x 1 filters that bring the channels down. */
  readonly squeeze: number;
  /** Filters of each of the two kinds, 1 x 1 and 3 x 3, that bring them up again. */
  readonly expand: number;
  readonly name?: string;
}

/**
 * Squeeze to few channels, expand by 1 x 1 and 3 x 3 filters side by side; with biases, as in the paper,
 * unless told to normalise.
 */
export function fire(at: LayerScope, x: Features, options: FireOptions): Features {
  const { squeeze, expand, norm = "none", name = "fire" } = options;
  const inner = within(at, name);
  const few = convBlock(inner, x, { norm, filters: squeeze, kernel: 1, name: "squeeze1x1" });
  const wide = { norm, filters: expand, padding: "same" } as const;
  return concat(
    inner,
    convBlock(inner, few, { ...wide, kernel: 1, name: "expand1x1" }),
    convBlock(inner, few, { ...wide, kernel: 3, name: "expand3x3" }),
  );
}
