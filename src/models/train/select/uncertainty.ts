// How unsure a model is of each sample (Settles, Active Learning Literature Survey, 2009, section 3.1):
// the samples that it is least sure of are the ones worth a label. All are larger for less sure.

import { UserError } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";

/** From the probabilities of one sample, summing to 1, to how unsure they are. */
export type Uncertainty = (probabilities: Float64Array) => number;

/** 1 - max p: 0 when sure, 1 - 1/classes at most. */
export const leastConfidence: Uncertainty = (p) => 1 - topTwo(p)[0];

/** 1 - (p1 - p2), the gap between the two likeliest turned round: 0 when sure, 1 when torn. */
export const margin: Uncertainty = (p) => {
  const [first, second] = topTwo(p);
  return 1 - (first - second);
};

/** -sum p ln p, in nats: 0 when sure, ln(classes) at most. */
export const entropy: Uncertainty = (p) => {
  let sum = 0;
  for (const value of p) if (value > 0) sum -= value * Math.log(value);
  return sum;
};

function topTwo(p: Float64Array): readonly [number, number] {
  let [first, second] = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of p) {
    if (value > first) [first, second] = [value, first];
    else if (value > second) second = value;
  }
  return [first, second];
}

/** The uncertainty of every row of logits [samples, classes]. */
export function uncertainties(logits: TensorValue, measure: Uncertainty): Float64Array {
  return Float64Array.from(probabilitiesOf(logits), measure);
}

/** Softmax of each row of logits. Throws UserError for values that are not finite. */
export function probabilitiesOf({ dims, data }: TensorValue): readonly Float64Array[] {
  const rows = dims[0] ?? 0;
  const classes = data.length / Math.max(1, rows);
  return Array.from({ length: rows }, (_, row) => {
    const own = Float64Array.from({ length: classes }, (_, at) => Number(data[row * classes + at]));
    if (!own.every(Number.isFinite)) {
      throw new UserError("invalid-input", `scores of row ${row} are not finite`, {
        hint: "The model diverged: lower the learning rate.",
      });
    }
    const highest = Math.max(...own);
    const exps = own.map((value) => Math.exp(value - highest));
    const sum = exps.reduce((a, b) => a + b, 0);
    return exps.map((value) => value / sum);
  });
}

/** Places of the `count` largest scores, largest first; among equals the earlier goes first. */
export function highest(scores: ArrayLike<number>, count: number): number[] {
  return Array.from(scores, (_, at) => at)
    .sort((a, b) => (scores[b] as number) - (scores[a] as number) || a - b)
    .slice(0, count);
}
