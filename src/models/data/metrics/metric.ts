// What quality is measured by: pure functions of predictions and truth, one row a sample.

import { UserError } from "../../../core/index.ts";
import type { TensorElements, TensorValue } from "../../../engine/index.ts";

/** A quality and what is known of how sure it is. */
export interface Quality {
  readonly metric: string;
  readonly value: number;
  /** 90 % interval over samples; null where there is none. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly samples: number;
  /** The metric of each sample, for paired tests; null where only the whole has one. */
  readonly scores: Float64Array | null;
}

/** A measure of predictions against the truth. */
export interface Metric {
  readonly name: string;
  readonly better: "higher" | "lower";
  /** Throws UserError where the two do not fit. */
  of(predictions: TensorValue, truth: TensorValue): Quality;
}

/** Number of rows. Throws UserError when predictions and truth have different numbers, or none. */
export function rowCount(metric: string, predictions: TensorValue, truth: TensorValue): number {
  const [rows = 1] = predictions.dims;
  const [expected = 1] = truth.dims;
  if (rows !== expected || rows === 0) {
    throw new UserError("invalid-input", `${metric}: ${rows} predictions for ${expected} samples`, {
      hint: "Give one row of predictions for each row of truth.",
    });
  }
  return rows;
}

/** Elements as numbers. Throws UserError for text and for values that are not finite. */
export function numbersOf(metric: string, what: string, { data }: TensorValue): Float64Array {
  const numbers = toNumbers(metric, what, data);
  const odd = numbers.findIndex((value) => !Number.isFinite(value));
  if (odd === -1) return numbers;
  throw new UserError("invalid-input", `${metric}: ${what} ${odd} is ${numbers[odd]}`, {
    hint: "The model's output is not finite: look at its inputs and weights.",
  });
}

function toNumbers(metric: string, what: string, data: TensorElements): Float64Array {
  if (ArrayBuffer.isView(data)) return Float64Array.from(data as ArrayLike<number>, Number);
  throw new UserError("invalid-input", `${metric}: ${what} are texts, not numbers`, {
    hint: "Choose a metric of texts, such as cer or wer.",
  });
}

/** One class number for each row of predictions: the largest of its scores, or the number itself. */
export function classesOf(metric: string, predictions: TensorValue): Int32Array {
  const scores = numbersOf(metric, "prediction", predictions);
  const width = scores.length / (predictions.dims[0] ?? 1);
  if (width === 1) return Int32Array.from(scores);
  return Int32Array.from({ length: scores.length / width }, (_, row) =>
    largest(scores, row * width, width),
  );
}

/** Place of the first largest value among `width` from `start`. */
export function largest(values: ArrayLike<number>, start: number, width: number): number {
  let best = 0;
  for (let at = 1; at < width; at++) {
    if ((values[start + at] as number) > (values[start + best] as number)) best = at;
  }
  return best;
}

/** Labels of a truth tensor with one number a row. */
export function labelsOf(metric: string, truth: TensorValue): Int32Array {
  const labels = numbersOf(metric, "label", truth);
  const rows = truth.dims[0] ?? 1;
  const odd = labels.findIndex((label) => !Number.isInteger(label) || label < 0);
  if (labels.length !== rows || odd !== -1) {
    const fault =
      odd === -1 ? `${labels.length} labels for ${rows} samples` : `a label of ${labels[odd]}`;
    throw new UserError("invalid-input", `${metric}: ${fault}`, {
      hint: "A label is one whole number a sample, from 0.",
    });
  }
  return Int32Array.from(labels);
}
