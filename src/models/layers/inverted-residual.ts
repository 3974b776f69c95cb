// MobileNetV2's block (Sandler et al. 2018): wide inside, narrow and linear between blocks.

import { residual } from "./combine.ts";
import { convBlock, depthwiseBlock } from "./conv-block.ts";
import { channelsOf, type Features } from "./features.ts";
import { type LayerScope, unshrunk, within } from "./scope.ts";
import { shrunk } from "./shrink.ts";
import { squeezeExcite } from "./squeeze-excite.ts";

export interface InvertedResidualOptions {
  /** Output channels at full width. */
  readonly filters: number;
  /** How many times more channels there are inside; 1 leaves the first layer out. Default: 6. */
  readonly expansion?: number;
  /** Default: 3. */
  readonly kernel?: number;
  /** Default: 1. */
  readonly stride?: number;
  /** Reduction of a squeeze-excite block inside. Default: none. */
  readonly squeezeExcite?: number;
  readonly name?: string;
}

/** Expand, depthwise, project; added to its input where that has the same shape (table 1). */
export function invertedResidual(
  at: LayerScope,
  x: Features,
  options: InvertedResidualOptions,
): Features {
  const { expansion = 6, stride = 1, name = "block" } = options;
  const inner = unshrunk(within(at, name));
  const channels = channelsOf(x);
  const filters = shrunk(options.filters, at.width);
  const branch = (input: Features): Features => {
    const wide = { filters: expansion * channels, kernel: 1, name: "expand" } as const;
    const inside =
      expansion === 1 ? input : convBlock(inner, input, { ...wide, activation: "relu6" });
    const { kernel = 3 } = options;
    const line = { kernel, stride, padding: "same", activation: "relu6" } as const;
    const spatial = depthwiseBlock(inner, inside, line);
    const { squeezeExcite: reduction } = options;
    const weighed =
      reduction === undefined ? spatial : squeezeExcite(inner, spatial, { reduction });
    return convBlock(inner, weighed, {
      filters,
      kernel: 1,
      activation: "identity",
      name: "project",
    });
  };
  return stride === 1 && filters === channels ? residual(inner, x, branch) : branch(x);
}
