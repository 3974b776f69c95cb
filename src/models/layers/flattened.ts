// Flattened convolution (Jin, Dundar, Culurciello 2014): three one-dimensional convolutions in place of
// one of three dimensions.

import { conv, depthwiseConv } from "./conv.ts";
import type { Features } from "./features.ts";
import { lecunNormal } from "./initialisers.ts";
import { type LayerScope, within } from "./scope.ts";
import type { Padding } from "./window.ts";

/** Options of one of the three. */
export interface LineOptions {
  /** Length of the kernel. */
  readonly kernel: number;
  readonly padding?: number | "same" | "full" | "valid";
  /** Default: with a bias. */
  readonly bias?: boolean;
}

/** Across channels: `filters` sums of all channels, at every place on its own. */
export const lateralConv = (
  at: LayerScope,
  x: Features,
  options: { readonly filters: number; readonly bias?: boolean },
): Features => conv(at, x, { ...options, kernel: 1, initialiser: lecunNormal, name: "lateral" });

/** Along columns, one kernel for each channel. */
export function verticalConv(at: LayerScope, x: Features, options: LineOptions): Features {
  const { kernel, padding = 0, ...rest } = options;
  return depthwiseConv(at, x, {
    ...rest,
    kernel: [kernel, 1],
    padding: typeof padding === "number" ? [padding, 0] : padding,
    initialiser: lecunNormal,
    name: "vertical",
  });
}

/** Along rows, one kernel for each channel. */
export function horizontalConv(at: LayerScope, x: Features, options: LineOptions): Features {
  const { kernel, padding = 0, ...rest } = options;
  const across: Padding = typeof padding === "number" ? [0, padding] : padding;
  return depthwiseConv(at, x, {
    ...rest,
    kernel: [1, kernel],
    padding: across,
    name: "horizontal",
  });
}

export interface FlattenedOptions extends LineOptions {
  /** Output channels at full width. */
  readonly filters: number;
  /** How often the three follow each other. The paper chose 2. Default: 1. */
  readonly stages?: number;
  readonly name?: string;
}

/**
 * Lateral, vertical, horizontal, with nothing between them but biases. One stage is the full
 * convolution of the rank-1 kernel `L[f,c] V[f,y] H[f,x]`, with `C + 2K` weights a filter where that
 * has `C K^2`. What is not followed by a rectifier starts without its gain.
 */
export function flattenedConv(at: LayerScope, x: Features, options: FlattenedOptions): Features {
  const { filters, stages = 1, name = "flattened", ...line } = options;
  const bias = line.bias === undefined ? {} : { bias: line.bias };
  let y = x;
  for (let stage = 0; stage < stages; stage++) {
    const inner = within(at, name);
    const lateral = lateralConv(inner, y, { filters, ...bias });
    y = horizontalConv(inner, verticalConv(inner, lateral, line), line);
  }
  return y;
}
