// Convolutions in one, two or three dimensions, with groups and dilation.

import { ModelError } from "../../onnx/index.ts";
import { channelsOf, type Features, spatialOf } from "./features.ts";
import { type Initialiser, zeros } from "./initialisers.ts";
import { type LayerScope, weight, within } from "./scope.ts";
import { shrunk } from "./shrink.ts";
import { type WindowOptions, windowOver } from "./window.ts";

export interface ConvOptions extends Omit<WindowOptions, "rounding"> {
  /** Output channels at full width. */
  readonly filters: number;
  /** Input and output channels are cut into so many groups that do not see each other. Default: 1. */
  readonly groups?: number;
  /** Default: with a bias. */
  readonly bias?: boolean;
  /** Default: that of the scope. */
  readonly initialiser?: Initialiser;
  /** Name of its scope. Default: `conv`. */
  readonly name?: string;
}

/**
 * A convolution of features [channels, ...spatial]; the kernel `weight` is [filters, channels / groups,
 * ...kernel]. Throws ModelError when groups do not divide channels and filters.
 */
export function conv(at: LayerScope, x: Features, options: ConvOptions): Features {
  const { filters, groups = 1, name = "conv" } = options;
  return convolve(at, x, { ...options, name, filters: shrunkGroups(at, filters, groups) });
}

/**
 * One filter for each input channel, or `multiplier` of them (Sifre 2014; Howard et al. 2017). The
 * channels are those that come, so that no width multiplier applies.
 */
export function depthwiseConv(
  at: LayerScope,
  x: Features,
  options: Omit<ConvOptions, "filters" | "groups"> & { readonly multiplier?: number },
): Features {
  const { multiplier = 1, name = "depthwise", ...rest } = options;
  const groups = channelsOf(x);
  return convolve(at, x, { ...rest, name, groups, filters: multiplier * groups });
}

/** A 1 x 1 convolution, which mixes channels only. */
export const pointwiseConv = (
  at: LayerScope,
  x: Features,
  options: Omit<ConvOptions, "kernel" | "groups">,
): Features => conv(at, x, { name: "pointwise", ...options, kernel: 1 });

/** Groups stay equal when filters are shrunk. */
const shrunkGroups = ({ width }: LayerScope, filters: number, groups: number): number =>
  groups === 1 ? shrunk(filters, width) : groups * shrunk(filters / groups, width);

function convolve(
  at: LayerScope,
  x: Features,
  options: ConvOptions & { readonly name: string },
): Features {
  const { filters, groups = 1, bias = true, name, initialiser = at.initialiser } = options;
  const channels = channelsOf(x);
  if (!(Number.isInteger(filters / groups) && Number.isInteger(channels / groups))) {
    const message = `${groups} groups of ${channels} channels and ${filters} filters`;
    throw new ModelError(message, name, { hint: "Choose numbers that the groups divide." });
  }
  const window = windowOver(spatialOf(x), options, name);
  const inner = within(at, name);
  const area = window.kernel.reduce((product, length) => product * length, 1);
  const kernel = weight(inner, "weight", {
    dims: [filters, channels / groups, ...window.kernel],
    initialiser,
    fan: { in: (channels / groups) * area, out: (filters / groups) * area },
  });
  const shift = bias ? [weight(inner, "bias", { dims: [filters], initialiser: zeros })] : [];
  const value = inner.graph.op({ type: "Conv", name: "conv" }, [x.value, kernel, ...shift], {
    kernel_shape: window.kernel,
    strides: window.strides,
    pads: [...window.before, ...window.after],
    dilations: window.dilations,
    group: groups,
  });
  return { value, shape: [filters, ...window.size] };
}
