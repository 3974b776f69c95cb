// What quality is measured by, with the interval that the number of samples allows.

import { mean, standardDeviation, suggest, UserError, Z90 } from "../../core/index.ts";
import type { TensorValue } from "../../engine/index.ts";

/** A quality and what is known of how sure it is. */
export interface Quality {
  readonly metric: string;
  readonly value: number;
  /** 90 % interval over samples; null where there is none. */
  readonly interval: readonly [low: number, high: number] | null;
  readonly samples: number;
}

/** A measure of predictions against the truth, one row a sample. */
export interface Metric {
  readonly name: string;
  readonly better: "higher" | "lower";
  /** Throws UserError where the two do not fit. */
  of(predictions: TensorValue, truth: TensorValue): Quality;
}

/** The metric of a name. Throws UserError naming those there are. */
export function metricNamed(name: string): Metric {
  const found = METRICS.find((metric) => metric.name === name);
  if (found !== undefined) return found;
  const names = METRICS.map((metric) => metric.name);
  const near = suggest(name, names);
  throw new UserError("usage", `there is no metric ${name}`, {
    hint: near === null ? `There are ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}

/** The metric that a loss stands for, where none is named. */
export function metricFor(loss: string): string {
  switch (loss) {
    case "cross-entropy":
    case "kl-divergence":
      return "accuracy";
    case "binary-cross-entropy":
      return "binary-accuracy";
    default:
      return loss === "mse" ? "mse" : "mae";
  }
}

const METRICS: readonly Metric[] = [
  {
    name: "accuracy",
    better: "higher",
    of: (predictions, truth) => share("accuracy", rightClasses(predictions, truth)),
  },
  {
    name: "binary-accuracy",
    better: "higher",
    of: (predictions, truth) => {
      const [scores, labels] = pairs(predictions, truth);
      return share(
        "binary-accuracy",
        scores.map((score, at) => score > 0 === (labels[at] ?? 0) > 0.5),
      );
    },
  },
  {
    name: "mae",
    better: "lower",
    of: (predictions, truth) => average("mae", errors(predictions, truth).map(Math.abs)),
  },
  {
    name: "mse",
    better: "lower",
    of: (predictions, truth) =>
      average(
        "mse",
        errors(predictions, truth).map((error) => error ** 2),
      ),
  },
];

/** Whether the highest score of each row is that of its label. */
function rightClasses({ data, dims }: TensorValue, truth: TensorValue): readonly boolean[] {
  const [rows = 0, classes = 1] = dims;
  const labels = numbersOf(truth);
  if (dims.length !== 2 || labels.length !== rows) throw misfit(dims, truth.dims);
  const scores = data as ArrayLike<number>;
  return labels.map((label, row) => {
    let best = 0;
    for (let at = 1; at < classes; at++) {
      if (Number(scores[row * classes + at]) > Number(scores[row * classes + best])) best = at;
    }
    return best === label;
  });
}

function pairs(
  predictions: TensorValue,
  truth: TensorValue,
): readonly [predictions: readonly number[], truth: readonly number[]] {
  const [a, b] = [numbersOf(predictions), numbersOf(truth)];
  if (a.length !== b.length) throw misfit(predictions.dims, truth.dims);
  return [a, b];
}

function errors(predictions: TensorValue, truth: TensorValue): readonly number[] {
  const [a, b] = pairs(predictions, truth);
  return a.map((value, at) => value - (b[at] ?? 0));
}

const numbersOf = ({ data }: TensorValue): readonly number[] =>
  Array.from(data as ArrayLike<number | bigint>, Number);

const misfit = (predictions: readonly number[], truth: readonly number[]): UserError =>
  new UserError(
    "invalid-input",
    `predictions of [${predictions.join(", ")}] cannot be judged by truth of [${truth.join(", ")}]`,
    { hint: "Choose another metric or output." },
  );

/** A proportion with its interval by Wilson (1927), which holds near 0 and 1 too. */
function share(metric: string, right: readonly boolean[]): Quality {
  const samples = right.length;
  const value = right.filter(Boolean).length / samples;
  const z2 = Z90 ** 2 / samples;
  const centre = (value + z2 / 2) / (1 + z2);
  const half = (Z90 * Math.sqrt((value * (1 - value)) / samples + z2 / (4 * samples))) / (1 + z2);
  return { metric, value, interval: [centre - half, centre + half], samples };
}

/** A mean with its interval by the normal approximation. */
function average(metric: string, values: readonly number[]): Quality {
  const value = mean(values);
  const samples = values.length;
  if (samples < 2) return { metric, value, interval: null, samples };
  const half = (Z90 * standardDeviation(values)) / Math.sqrt(samples);
  return { metric, value, interval: [value - half, value + half], samples };
}
