// Metrics of numbers: errors, signal to noise, direction. All elements of a sample count alike.

import { UserError } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";
import { meanInterval, ratioInterval } from "./interval.ts";
import { type Metric, numbersOf, rowCount } from "./metric.ts";

/** The elements of predictions and truth, and how many a sample has. */
interface Pairs {
  readonly rows: number;
  readonly width: number;
  readonly predicted: Float64Array;
  readonly actual: Float64Array;
}

function pairsOf(metric: string, predictions: TensorValue, truth: TensorValue): Pairs {
  const rows = rowCount(metric, predictions, truth);
  const predicted = numbersOf(metric, "prediction", predictions);
  const actual = numbersOf(metric, "truth", truth);
  if (predicted.length !== actual.length) {
    const [given, wanted] = [predicted.length / rows, actual.length / rows];
    throw new UserError(
      "invalid-input",
      `${metric}: ${given} numbers are predicted for a sample, whose truth has ${wanted}`,
      {
        hint: "It compares number with number. Where the truth is a class, choose accuracy or top-k.",
      },
    );
  }
  return { rows, width: predicted.length / rows, predicted, actual };
}

/** For each sample the sum over its elements. */
function sums({ rows, width, predicted, actual }: Pairs, term: (p: number, a: number) => number) {
  return Float64Array.from({ length: rows }, (_, row) => {
    let sum = 0;
    for (let at = row * width; at < (row + 1) * width; at++) {
      sum += term(predicted[at] as number, actual[at] as number);
    }
    return sum;
  });
}

const total = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);

/** A metric that is the mean over samples of a mean over elements. */
function meanOver(name: string, term: (predicted: number, actual: number) => number): Metric {
  return {
    name,
    better: "lower",
    of(predictions, truth) {
      const pairs = pairsOf(name, predictions, truth);
      const scores = sums(pairs, term).map((sum) => sum / pairs.width);
      return {
        metric: name,
        value: total(scores) / pairs.rows,
        interval: meanInterval(scores),
        samples: pairs.rows,
        scores,
      };
    },
  };
}

/** Mean squared error. */
export const meanSquaredError = meanOver("mse", (p, a) => (p - a) ** 2);

/** Mean absolute error. */
export const meanAbsoluteError = meanOver("mae", (p, a) => Math.abs(p - a));

const decibels = (ratio: number): number => 10 * Math.log10(ratio);

/** Signal to noise in dB: 10 log10 of the power of the truth over that of the error; exact is Infinity. */
export const signalToNoise: Metric = {
  name: "snr",
  better: "higher",
  of(predictions, truth) {
    const pairs = pairsOf("snr", predictions, truth);
    const signal = sums(pairs, (_, a) => a * a);
    const noise = sums(pairs, (p, a) => (p - a) ** 2);
    return {
      metric: "snr",
      value: decibels(total(signal) / total(noise)),
      interval: ratioInterval(signal, noise, decibels),
      samples: pairs.rows,
      scores: signal.map((power, row) => decibels(power / (noise[row] as number))),
    };
  },
};

/** Peak signal to noise in dB: 10 log10(peak^2 / mean squared error), `peak` the largest value there is. */
export function peakSignalToNoise(peak: number): Metric {
  return {
    name: "psnr",
    better: "higher",
    of(predictions, truth) {
      const pairs = pairsOf("psnr", predictions, truth);
      const errors = sums(pairs, (p, a) => (p - a) ** 2);
      const power = new Float64Array(pairs.rows).fill(peak * peak * pairs.width);
      return {
        metric: "psnr",
        value: decibels(total(power) / total(errors)),
        interval: ratioInterval(power, errors, decibels),
        samples: pairs.rows,
        scores: errors.map((error) => decibels((peak * peak * pairs.width) / error)),
      };
    },
  };
}

/** Mean over samples of the cosine between prediction and truth; 0 where one of them is all zeros. */
export const cosine: Metric = {
  name: "cosine",
  better: "higher",
  of(predictions, truth) {
    const pairs = pairsOf("cosine", predictions, truth);
    const dot = sums(pairs, (p, a) => p * a);
    const own = sums(pairs, (p) => p * p);
    const other = sums(pairs, (_, a) => a * a);
    const scores = dot.map((product, row) => {
      const norms = Math.sqrt((own[row] as number) * (other[row] as number));
      return norms === 0 ? 0 : product / norms;
    });
    return {
      metric: "cosine",
      value: total(scores) / pairs.rows,
      interval: meanInterval(scores),
      samples: pairs.rows,
      scores,
    };
  },
};
