// Every weight to its nearest level (round to nearest, RTN).

import {
  type BlockFormat,
  type BlockGrid,
  type BlockWeight,
  fitBlocks,
  gridOfBlock,
  levelOf,
} from "./blocks.ts";

/**
 * Rounds rows [outputs, inputs], block by block. With `importance`, the second moment of each input,
 * extremes are cut off where that lowers the error weighed by it (the clipping of AWQ).
 */
export function roundToNearest(
  rows: Float64Array,
  inputs: number,
  format: BlockFormat,
  importance?: Float64Array,
): BlockWeight {
  return fitBlocks(rows, inputs, format, (values, from) => {
    const grid =
      importance === undefined
        ? gridOfBlock(values, format)
        : clippedGrid(values, importance.subarray(from, from + values.length), format);
    return { ...grid, levels: values.map((value) => levelOf(value, grid, format)) };
  });
}

/** Shares of the extremes that are tried: 1 to 0.55 in steps of a twentieth (AWQ's code). */
const CLIPS = 10;

function clippedGrid(
  values: Float64Array,
  importance: Float64Array,
  format: BlockFormat,
): BlockGrid {
  let best = { grid: gridOfBlock(values, format), error: Number.POSITIVE_INFINITY };
  for (let step = 0; step < CLIPS; step++) {
    const grid = gridOfBlock(
      values.map((value) => value * (1 - step / 20)),
      format,
    );
    let error = 0;
    for (let at = 0; at < values.length; at++) {
      const value = values[at] ?? 0;
      const back = (levelOf(value, grid, format) - grid.zero) * grid.scale;
      error += (importance[at] ?? 0) * (value - back) ** 2;
    }
    if (error < best.error) best = { grid, error };
  }
  return best.grid;
}
