// Inputs for the real models: sizes for their named dimensions, values that look random.

import { Tensor } from "onnxruntime-node";
import type { Model, ValueInfo } from "../src/onnx/model.ts";
import { randomFloats, type Values } from "./onnx-runtime.ts";

/** Sizes of dimensions that a model leaves open, by input and position. */
const OPEN: Readonly<Record<string, Readonly<Record<string, readonly number[]>>>> = {
  "ch_PP-OCRv4_rec_infer.onnx": { x: [1, 3, 48, 64] },
  "ch_ppocr_mobile_v2.0_cls_infer.onnx": { x: [1, 3, 48, 192] },
  "silero_vad_v5.onnx": { input: [1, 576], state: [2, 1, 128] },
  "tiny_random_gpt2_past.onnx": {
    input_ids: [1, 3],
    position_ids: [1, 3],
    attention_mask: [1, 5],
    ...Object.fromEntries([0, 1, 2, 3, 4].map((layer) => [`past_${layer}`, [2, 1, 4, 2, 8]])),
  },
};

/** One set of inputs for a model of the shared folder; the same for the same seed. */
export function inputsOf(file: string, model: Model, seed: number): Values {
  const stored = new Set(model.graph?.initializers.map(({ name }) => name));
  const inputs = (model.graph?.inputs ?? []).filter(({ name }) => !stored.has(name));
  return Object.fromEntries(
    inputs.map((info, index) => [
      info.name,
      inputOf(info, OPEN[file]?.[info.name] ?? dimsOf(info), seed * 100 + index),
    ]),
  );
}

function inputOf({ name, type }: ValueInfo, dims: readonly number[], seed: number): Tensor {
  const elementType = type?.kind === "tensor" ? type.elementType : null;
  const floats = randomFloats(dims, seed);
  if (name === "sr") return new Tensor("int64", [16000n], []);
  if (name === "attention_mask")
    return new Tensor(
      "int32",
      floats.data.length === 0 ? [] : Int32Array.from(floats.data as Float32Array, () => 1),
      dims,
    );
  if (elementType === "int32") {
    const ids = Int32Array.from(floats.data as Float32Array, (value) =>
      Math.floor((value + 2) * 60),
    );
    return new Tensor(
      "int32",
      name === "position_ids" ? Int32Array.from(ids, (_, at) => at) : ids,
      dims,
    );
  }
  return floats;
}

function dimsOf({ type }: ValueInfo): readonly number[] {
  const shape = type?.kind === "tensor" ? (type.shape ?? []) : [];
  return shape.map(({ value }) => Number(value ?? 1n));
}
