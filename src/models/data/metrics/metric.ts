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
export function numbersOf(metric: string, what: string, value: TensorValue): Float64Array {
  const numbers = scoresIn(metric, what, value);
  return numbers instanceof Float64Array ? numbers : new Float64Array(numbers);
}

/**
 * As `numbersOf`, floats as they are stored: scores over thousands of classes are looked at once, and a copy
 * takes longer than that.
 */
export function scoresIn(
  metric: string,
  what: string,
  { data }: TensorValue,
): Float32Array | Float64Array {
  const numbers = data instanceof Float32Array ? data : toNumbers(metric, what, data);
  const odd = indexOfOdd(numbers);
  if (odd === -1) return numbers;
  throw new UserError("invalid-input", `${metric}: ${what} ${odd} is ${numbers[odd]}`, {
    hint: "The model's output is not finite: look at its inputs and weights.",
  });
}

function toNumbers(metric: string, what: string, data: TensorElements): Float64Array {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    return Float64Array.from(data, Number);
  }
  if (ArrayBuffer.isView(data)) return new Float64Array(data as ArrayLike<number>);
  throw new UserError("invalid-input", `${metric}: ${what} are texts, not numbers`, {
    hint: "Choose a metric of texts, such as cer or wer.",
  });
}

/** By index: a call for each element takes ten times as long. */
function indexOfOdd(numbers: Float32Array | Float64Array): number {
  for (let at = 0; at < numbers.length; at++) {
    if (!Number.isFinite(numbers[at])) return at;
  }
  return -1;
}

/** One class number for each row of predictions: the largest of its scores, or the number itself. */
export function classesOf(metric: string, predictions: TensorValue): Int32Array {
  const scores = scoresIn(metric, "prediction", predictions);
  const width = scores.length / (predictions.dims[0] ?? 1);
  if (width === 1) return Int32Array.from(scores);
  return Int32Array.from({ length: scores.length / width }, (_, row) =>
    largest(scores, row * width, width),
  );
}

/** Place of the first largest value among `width` from `start`. */
export function largest(values: ArrayLike<number>, start: number, width: number): number {
  let best = 0;
  let most = values[start] as number;
  for (let at = 1; at < width; at++) {
    const value = values[start + at] as number;
    if (value > most) [best, most] = [at, value];
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
