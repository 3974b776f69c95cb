// ONNX Runtime as the oracle of tests: what it computes, and what it refuses.

import { InferenceSession, Tensor } from "onnxruntime-node";
import { encodeModel } from "../src/onnx/encode.ts";
import type { Model } from "../src/onnx/model.ts";

/** Inputs and outputs by name. */
export type Values = Readonly<Record<string, Tensor>>;

const OPTIONS: InferenceSession.SessionOptions = {
  logSeverityLevel: 4,
  intraOpNumThreads: 1,
  // As written: a fusion could hide what a graph says.
  graphOptimizationLevel: "disabled",
};

/** A session of a model. Rejects with ONNX Runtime's own message when it refuses the model. */
async function sessionOf(model: Model): Promise<InferenceSession> {
  return InferenceSession.create(encodeModel(model), OPTIONS);
}

/** Why ONNX Runtime refuses a model; null when it loads it. */
export async function refusalOf(model: Model): Promise<string | null> {
  try {
    const session = await sessionOf(model);
    await session.release();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Runs a model once. */
export async function runModel(model: Model, inputs: Values): Promise<Values> {
  const session = await sessionOf(model);
  try {
    return await session.run(inputs);
  } finally {
    await session.release();
  }
}

/** A float32 tensor of values that look random, between -2 and 2, the same for the same seed. */
export function randomFloats(dims: readonly number[], seed: number): Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const values = new Float32Array(size);
  let state = seed >>> 0;
  for (let index = 0; index < size; index++) {
    // Numerical Recipes' linear congruential generator.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[index] = (state / 2 ** 32 - 0.5) * 4;
  }
  return new Tensor("float32", values, dims);
}
