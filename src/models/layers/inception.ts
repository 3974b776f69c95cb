// GoogLeNet's inception block (Szegedy et al. 2014, figure 2b).

import { concat } from "./combine.ts";
import { type BlockStyle, convBlock } from "./conv-block.ts";
import type { Features } from "./features.ts";
import { maxPool } from "./pool.ts";
import { type LayerScope, within } from "./scope.ts";

/** Filters of the branches, as table 1 of the paper has them. */
export interface InceptionOptions extends BlockStyle {
  /** #1x1 */
  readonly one: number;
  /** #3x3 reduce, #3x3 */
  readonly three: readonly [reduce: number, filters: number];
  /** #5x5 reduce, #5x5 */
  readonly five: readonly [reduce: number, filters: number];
  /** pool proj */
  readonly pool: number;
  /** Kernel of the third branch; torchvision has 3 in place of 5. Default: 5. */
  readonly large?: 3 | 5;
  readonly name?: string;
}

/** 1x1, 3x3, 5x5 and pooled branches side by side, the large ones behind 1x1 reductions. */
export function inception(at: LayerScope, x: Features, options: InceptionOptions): Features {
  const { one, three, five, pool, large = 5, name = "inception", ...style } = options;
  const inner = within(at, name);
  const block = (of: Features, name: string, filters: number, kernel: number): Features =>
    convBlock(inner, of, { ...style, name, filters, kernel, padding: "same" });
  const pooled = maxPool(inner, x, { kernel: 3, stride: 1, padding: 1 });
  return concat(
    inner,
    block(x, "1x1", one, 1),
    block(block(x, "3x3_reduce", three[0], 1), "3x3", three[1], 3),
    block(block(x, "5x5_reduce", five[0], 1), "5x5", five[1], large),
    block(pooled, "pool_proj", pool, 1),
  );
}
