// Files of weights without a graph: parameters, types and bytes from their headers alone.

import type { ByteSource } from "../../onnx/index.ts";
import { readGguf } from "./gguf.ts";
import { readSafetensors } from "./safetensors.ts";
import type { WeightFile } from "./weight-tensor.ts";

/** The header of a weight file; null when it is neither safetensors nor GGUF. Throws ModelError for a broken one. */
export function readWeightFile(source: ByteSource): WeightFile | null {
  const head = source.read(0, Math.min(16, source.size));
  const text = String.fromCharCode(...head);
  if (text.startsWith("GGUF")) return readGguf(source);
  if (head.length >= 10 && head[8] === 0x7b && head[7] === 0) return readSafetensors(source);
  return null;
}
