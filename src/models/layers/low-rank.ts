// Layers that are low-rank by architecture: two small factors in place of one matrix or kernel. (A
// trained weight that is approximated afterwards is compression.)

import { conv } from "./conv.ts";
import { type DenseOptions, dense } from "./dense.ts";
import type { Features } from "./features.ts";
import { lecunNormal } from "./initialisers.ts";
import { type LayerScope, unshrunk, within } from "./scope.ts";

export interface LowRankOptions {
  /** Units or channels between the factors. */
  readonly rank: number;
}

/**
 * `y = U (V x) + b` with V of [rank, inputs] and U of [units, rank]: `rank (inputs + units)` weights, less
 * than the full matrix while `rank < inputs units / (inputs + units)`.
 */
export function lowRankDense(
  at: LayerScope,
  x: Features,
  options: DenseOptions & LowRankOptions,
): Features {
  const { rank, name = "low_rank", ...rest } = options;
  const inner = within(at, name);
  const inside = { units: rank, bias: false, initialiser: lecunNormal, name: "v" };
  return dense(inner, dense(unshrunk(inner), x, inside), { ...rest, name: "u" });
}

/** A K x 1 convolution to `rank` channels, then 1 x K: a kernel of that rank, keeping the image's size. */
export function lowRankConv(
  at: LayerScope,
  x: Features,
  options: LowRankOptions & {
    readonly filters: number;
    readonly kernel: number;
    readonly name?: string;
  },
): Features {
  const { rank, filters, kernel, name = "low_rank" } = options;
  const inner = within(at, name);
  const column = { kernel: [kernel, 1], padding: "same", name: "vertical" } as const;
  const inside = { ...column, filters: rank, bias: false, initialiser: lecunNormal };
  const row = { kernel: [1, kernel], padding: "same", name: "horizontal" } as const;
  return conv(inner, conv(unshrunk(inner), x, inside), { ...row, filters });
}
