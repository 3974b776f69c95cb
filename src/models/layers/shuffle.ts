// Group convolution with channel shuffle (Zhang et al. 2017, ShuffleNet).

import { ModelError } from "../../onnx/index.ts";
import { relu } from "./activation.ts";
import { add, concat } from "./combine.ts";
import { convBlock, depthwiseBlock } from "./conv-block.ts";
import { channelsOf, type Features, spatialOf } from "./features.ts";
import { averagePool } from "./pool.ts";
import { type LayerScope, unshrunk, within } from "./scope.ts";
import { shrunk } from "./shrink.ts";

/**
 * Deals the channels out: channel `i` of group `g` goes to place `i * groups + g`, so that the next
 * group convolution sees some of every group. Shuffling again by `channels / groups` undoes it.
 */
export function channelShuffle(at: LayerScope, x: Features, groups: number): Features {
  const channels = channelsOf(x);
  const spatial = spatialOf(x);
  if (!Number.isInteger(channels / groups)) {
    throw new ModelError(`${channels} channels in ${groups} groups`, "shuffle", {
      hint: "Choose a number of groups that divides the channels.",
    });
  }
  const inner = within(at, "shuffle");
  const reshape = (value: string, shape: readonly number[]): string => {
    // 0 keeps the batch axis as it is.
    const target = { dims: [shape.length + 1], values: [0, ...shape] };
    return inner.graph.op("Reshape", [value, inner.graph.constant("int64", target)]);
  };
  const split = reshape(x.value, [groups, channels / groups, ...spatial]);
  const perm = [0, 2, 1, ...spatial.map((_, axis) => axis + 3)];
  const turned = inner.graph.op("Transpose", [split], { perm });
  return { value: reshape(turned, [channels, ...spatial]), shape: x.shape };
}

export interface ShuffleUnitOptions {
  /** Output channels at full width. With stride 2 the input's channels are among them. */
  readonly filters: number;
  readonly groups: number;
  /** 2 halves the image. Default: 1. */
  readonly stride?: 1 | 2;
  readonly name?: string;
}

/**
 * ShuffleNet's unit (figure 2b and c): grouped 1x1 down to a quarter, shuffle, depthwise 3x3, grouped
 * 1x1 up again; added to its input, or beside the pooled input when the stride is 2.
 */
export function shuffleUnit(at: LayerScope, x: Features, options: ShuffleUnitOptions): Features {
  const { groups, stride = 1, name = "unit" } = options;
  const inner = unshrunk(within(at, name));
  const filters = groups * shrunk(options.filters / groups, at.width);
  const grown = stride === 1 ? filters : filters - channelsOf(x);
  const few = groups * Math.max(1, Math.round(filters / 4 / groups));
  const pointwise = { kernel: 1, groups };
  const down = convBlock(inner, x, { ...pointwise, filters: few, name: "reduce" });
  const spatial = depthwiseBlock(inner, channelShuffle(inner, down, groups), {
    kernel: 3,
    padding: 1,
    stride,
    activation: "identity",
  });
  const up = { ...pointwise, filters: grown, activation: "identity", name: "expand" } as const;
  const branch = convBlock(inner, spatial, up);
  if (stride === 1) return relu(inner, add(inner, branch, x));
  const pooled = averagePool(inner, x, { kernel: 3, stride, padding: 1 });
  return relu(inner, concat(inner, pooled, branch));
}
