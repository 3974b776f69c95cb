// Which samples matter, told early in training: EL2N and forgetting. What scores low can be left out.

import type { TensorValue } from "../../../engine/index.ts";
import { probabilitiesOf } from "./uncertainty.ts";

/**
 * EL2N of every sample, the length of the error vector p - y (Paul, Ganguli & Dziugaite, Deep Learning on a
 * Data Diet, 2021, definition 2.2): 0 when sure and right, sqrt(2) when sure and wrong. Average over a few
 * models, some epochs in.
 */
export function el2n(logits: TensorValue, labels: ArrayLike<number>): Float64Array {
  return Float64Array.from(probabilitiesOf(logits), (p, row) => {
    let sum = 0;
    p.forEach((value, c) => {
      sum += (value - (c === labels[row] ? 1 : 0)) ** 2;
    });
    return Math.sqrt(sum);
  });
}

/** Mean of the scores of several models. */
export function meanScores(scores: readonly Float64Array[]): Float64Array {
  const [first = new Float64Array(0)] = scores;
  return first.map((_, row) => {
    let sum = 0;
    for (const own of scores) sum += own[row] as number;
    return sum / scores.length;
  });
}

/** Counts how often each sample was right and then wrong again. */
export interface ForgettingCounter {
  /** Tells whether these rows are right now, after an epoch or as their batch comes by. */
  observe(rows: readonly number[], right: readonly boolean[]): void;
  /** Times forgotten; Infinity for samples that were never right (Toneva et al.). */
  counts(): Float64Array;
}

/**
 * Forgetting events (Toneva et al., An Empirical Study of Example Forgetting, 2019, definition 1): samples
 * that are never forgotten can be left out first.
 */
export function countForgetting(length: number): ForgettingCounter {
  const events = new Float64Array(length);
  const wasRight = new Uint8Array(length);
  const everRight = new Uint8Array(length);
  return {
    observe(rows, right) {
      rows.forEach((row, at) => {
        const isRight = right[at] === true;
        if (!isRight && wasRight[row] === 1) events[row] = (events[row] as number) + 1;
        wasRight[row] = isRight ? 1 : 0;
        if (isRight) everRight[row] = 1;
      });
    },
    counts: () => events.map((count, row) => (everRight[row] === 1 ? count : Infinity)),
  };
}
