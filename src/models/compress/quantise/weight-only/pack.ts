// The bytes of MatMulNBits (onnxruntime/docs/ContribOperators.md): levels low bits first, blocks filled up
// with the level of zero, zero points packed alike.

import { type Tensor, tensorOf } from "../../../../onnx/index.ts";
import { type BlockWeight, blocksOf } from "./blocks.ts";

export interface PackedWeight {
  /** uint8 [outputs, blocks, bytes of a block] */
  readonly levels: Tensor;
  /** float32 [outputs x blocks] */
  readonly scales: Tensor;
  /** uint8, packed; float32 where zeros are fractions; null where they are in the middle. */
  readonly zeros: Tensor | null;
}

export function packBlocks(weight: BlockWeight): PackedWeight {
  const { format, inputs, outputs, scales } = weight;
  const blocks = blocksOf(inputs, format);
  const bytes = (format.blockSize * format.bits) / 8;
  const values = new Uint8Array(outputs * blocks * bytes);
  for (let output = 0; output < outputs; output++) {
    for (let block = 0; block < blocks; block++) {
      const start = (output * blocks + block) * bytes;
      const levels = levelsOfBlock(weight, output, block);
      values.set(packBits(levels, format.bits), start);
    }
  }
  return {
    levels: tensorOf("uint8", { dims: [outputs, blocks, bytes], values }),
    scales: tensorOf("float32", { dims: [outputs * blocks], values: scales }),
    zeros: packZeros(weight, blocks),
  };
}

function levelsOfBlock(
  { format, inputs, levels, zeros }: BlockWeight,
  output: number,
  block: number,
): Uint8Array {
  const { blockSize, bits } = format;
  const blocks = blocksOf(inputs, format);
  const start = block * blockSize;
  const zero = zeros?.[output * blocks + block] ?? 2 ** (bits - 1);
  const padding = Math.min(2 ** bits - 1, Math.max(0, Math.round(zero)));
  const own = new Uint8Array(blockSize).fill(padding);
  own.set(
    levels.subarray(output * inputs + start, output * inputs + Math.min(inputs, start + blockSize)),
  );
  return own;
}

/** Zero points of an output's blocks, packed to whole bytes for each output. */
function packZeros({ format, outputs, zeros }: BlockWeight, blocks: number): Tensor | null {
  if (zeros === null) return null;
  if (!zeros.every(Number.isInteger)) {
    return tensorOf("float32", { dims: [outputs * blocks], values: zeros });
  }
  const bytes = Math.ceil((blocks * format.bits) / 8);
  const values = new Uint8Array(outputs * bytes);
  for (let output = 0; output < outputs; output++) {
    const own = Uint8Array.from(zeros.subarray(output * blocks, (output + 1) * blocks));
    values.set(packBits(own, format.bits), output * bytes);
  }
  return tensorOf("uint8", { dims: [outputs * bytes], values });
}

function packBits(levels: Uint8Array, bits: 4 | 8): Uint8Array {
  if (bits === 8) return levels;
  const bytes = new Uint8Array(Math.ceil(levels.length / 2));
  for (let at = 0; at < levels.length; at++) {
    bytes[at >> 1] = (bytes[at >> 1] ?? 0) | ((levels[at] ?? 0) << (at % 2 === 0 ? 0 : 4));
  }
  return bytes;
}
