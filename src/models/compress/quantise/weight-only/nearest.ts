// Every weight to its nearest level (round to nearest, RTN).

import { type BlockFormat, type BlockWeight, blocksOf, gridOfBlock, levelOf } from "./blocks.ts";

/** Rounds rows [outputs, inputs], block by block. */
export function roundToNearest(
  rows: Float64Array,
  inputs: number,
  format: BlockFormat,
): BlockWeight {
  const outputs = rows.length / inputs;
  const blocks = blocksOf(inputs, format);
  const levels = new Uint8Array(rows.length);
  const scales = new Float32Array(outputs * blocks);
  const zeros = new Float32Array(outputs * blocks);
  for (let output = 0; output < outputs; output++) {
    for (let block = 0; block < blocks; block++) {
      const start = output * inputs + block * format.blockSize;
      const end = Math.min(start + format.blockSize, (output + 1) * inputs);
      const grid = gridOfBlock(rows.subarray(start, end), format);
      scales[output * blocks + block] = grid.scale;
      zeros[output * blocks + block] = grid.zero;
      for (let at = start; at < end; at++) levels[at] = levelOf(rows[at] ?? 0, grid, format);
    }
  }
  return { format, inputs, outputs, levels, scales, zeros: format.symmetric ? null : zeros };
}
