// What one gets without looking at the inputs: every figure is to be read beside it.

import type { TensorValue } from "../../../engine/index.ts";
import { rowsByLabel } from "../rows.ts";

/** Predictions of the most frequent class of the training labels (the lowest where several are). */
export function majorityClass(training: ArrayLike<number>, samples: number): TensorValue {
  let [best, most] = [0, -1];
  for (const [label, rows] of rowsByLabel(training)) {
    if (rows.length > most) [best, most] = [label, rows.length];
  }
  return { dataType: "int32", dims: [samples], data: new Int32Array(samples).fill(best) };
}

/** Predictions of the mean of the training targets, element by element of a sample. */
export function meanTarget(training: TensorValue, samples: number): TensorValue {
  const [rows = 1, ...shape] = training.dims;
  const width = training.data.length / rows;
  const mean = new Float64Array(width);
  const values = training.data as ArrayLike<number | bigint>;
  for (let at = 0; at < training.data.length; at++) {
    mean[at % width] = (mean[at % width] as number) + Number(values[at]) / rows;
  }
  const data = Float32Array.from(
    { length: samples * width },
    (_, at) => mean[at % width] as number,
  );
  return { dataType: "float32", dims: [samples, ...shape], data };
}
