// The unit that most networks repeat: convolution, normalisation, non-linearity.

import { type ActivationName, activation } from "./activation.ts";
import { type ConvOptions, conv, depthwiseConv } from "./conv.ts";
import type { Features } from "./features.ts";
import { batchNorm } from "./normalise.ts";
import { type LayerScope, within } from "./scope.ts";

/** What follows a convolution. */
export interface BlockStyle {
  /** `batch` takes the place of the bias. Default: `batch`. */
  readonly norm?: "batch" | "none";
  /** Default: `relu`. */
  readonly activation?: ActivationName;
  /** Of the batch normalisation. Default: 1e-5. */
  readonly epsilon?: number;
}

export type ConvBlockOptions = Omit<ConvOptions, "bias"> & BlockStyle;

/** Convolution, batch normalisation, activation, in a scope `name`. */
export function convBlock(at: LayerScope, x: Features, options: ConvBlockOptions): Features {
  const { norm = "batch", name = "block", ...rest } = options;
  const inner = within(at, name);
  const y = conv(inner, x, { ...rest, bias: norm === "none" });
  return finished(inner, y, options);
}

/** The same with one filter for each channel. */
export function depthwiseBlock(
  at: LayerScope,
  x: Features,
  options: Omit<ConvBlockOptions, "filters" | "groups">,
): Features {
  const { norm = "batch", name = "depthwise", ...rest } = options;
  const inner = within(at, name);
  const y = depthwiseConv(inner, x, { ...rest, name: "conv", bias: norm === "none" });
  return finished(inner, y, options);
}

function finished(at: LayerScope, y: Features, style: BlockStyle): Features {
  const { norm = "batch", activation: name = "relu", epsilon } = style;
  const normal = norm === "none" ? y : batchNorm(at, y, epsilon === undefined ? {} : { epsilon });
  return activation(at, normal, name);
}
