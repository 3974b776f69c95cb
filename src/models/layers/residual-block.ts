// The basic block of residual networks (He et al. 2016, figure 2).

import { relu } from "./activation.ts";
import { add } from "./combine.ts";
import { convBlock } from "./conv-block.ts";
import { channelsOf, type Features } from "./features.ts";
import { type LayerScope, within } from "./scope.ts";

export interface ResidualBlockOptions {
  /** Output channels at full width. */
  readonly filters: number;
  /** Default: 1. */
  readonly stride?: number;
  readonly name?: string;
}

/**
 * Two 3x3 convolutions, added to the input, or to its 1x1 projection where channels or size change
 * (the paper's option B).
 */
export function residualBlock(
  at: LayerScope,
  x: Features,
  options: ResidualBlockOptions,
): Features {
  const { filters, stride = 1, name = "block" } = options;
  const inner = within(at, name);
  const three = { filters, kernel: 3, padding: 1 };
  const first = convBlock(inner, x, { ...three, stride, name: "conv1" });
  const branch = convBlock(inner, first, { ...three, activation: "identity", name: "conv2" });
  const same = stride === 1 && channelsOf(branch) === channelsOf(x);
  const projection = { filters, stride, kernel: 1, activation: "identity" } as const;
  const shortcut = same ? x : convBlock(inner, x, { ...projection, name: "shortcut" });
  return relu(inner, add(inner, branch, shortcut));
}
