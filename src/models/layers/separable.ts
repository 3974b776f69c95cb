// Depthwise-separable convolution: filters in space, then a mix of channels.

import { type BlockStyle, convBlock, depthwiseBlock } from "./conv-block.ts";
import type { Features } from "./features.ts";
import { type LayerScope, within } from "./scope.ts";

export interface SeparableOptions extends BlockStyle {
  /** Output channels at full width. */
  readonly filters: number;
  /** Default: 3. */
  readonly kernel?: number;
  /** Default: 1. */
  readonly stride?: number;
  readonly name?: string;
}

/**
 * Depthwise K x K, then pointwise 1 x 1, each with normalisation and activation (Howard et al. 2017,
 * figure 3). Without those it is the full convolution of kernel `P[o,i] D[i,y,x]`, at
 * `1/filters + 1/K^2` of its multiply-accumulates.
 */
export function separableConv(at: LayerScope, x: Features, options: SeparableOptions): Features {
  const { filters, kernel = 3, stride = 1, name = "separable", ...style } = options;
  const inner = within(at, name);
  const spatial = depthwiseBlock(inner, x, { ...style, kernel, stride, padding: "same" });
  return convBlock(inner, spatial, { ...style, filters, kernel: 1, name: "pointwise" });
}
