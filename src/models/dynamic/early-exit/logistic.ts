// Multinomial logistic regression: convex, so that its answer does not hang on a start or on luck.

import { UserError } from "../../../core/index.ts";
import { minimise, type Objective } from "./lbfgs.ts";

/** Scores of a row x of features: x weights + bias. */
export interface LinearClassifier {
  /** [features x classes], row by row. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
}

/** Rows of features, one after the other, with a class each. */
export interface Samples {
  readonly features: Float64Array;
  readonly labels: Int32Array;
  readonly classes: number;
}

export interface LogisticOptions {
  /** Weight of the squared weights, on features of unit variance. Default: 1e-3. */
  readonly ridge?: number;
  readonly tolerance?: number;
}

/** Fits by mean cross-entropy. Throws UserError for labels that are no classes. */
export function fitLogistic(
  samples: Samples,
  { ridge = 1e-3, tolerance = 1e-5 }: LogisticOptions = {},
): LinearClassifier {
  const { labels, classes } = samples;
  if (labels.length === 0) throw unfit("there are no samples to fit a classifier on");
  const wrong = labels.find((label) => label < 0 || label >= classes);
  if (wrong !== undefined) throw unfit(`label ${wrong} where there are ${classes} classes`);
  const width = samples.features.length / labels.length;
  const { standard, mean, deviation } = standardised(samples.features, width);
  const objective = crossEntropy({ ...samples, features: standard }, { width, ridge });
  const { x } = minimise(objective, new Float64Array((width + 1) * classes), { tolerance });
  const weights = x.slice(0, width * classes);
  const bias = x.slice(width * classes);
  // Back to the features as they come.
  for (let j = 0; j < width; j++) {
    for (let k = 0; k < classes; k++) {
      const weight = (weights[j * classes + k] ?? 0) / (deviation[j] ?? 1);
      weights[j * classes + k] = weight;
      bias[k] = (bias[k] ?? 0) - (mean[j] ?? 0) * weight;
    }
  }
  return { weights, bias };
}

const unfit = (fault: string): UserError =>
  new UserError("invalid-input", fault, { hint: "Check the labels of the samples." });

function standardised(features: Float64Array, width: number) {
  const count = features.length / width;
  const [mean, square] = [new Float64Array(width), new Float64Array(width)];
  for (const [at, value] of features.entries()) {
    const j = at % width;
    mean[j] = (mean[j] ?? 0) + value / count;
  }
  for (const [at, value] of features.entries()) {
    const j = at % width;
    square[j] = (square[j] ?? 0) + (value - (mean[j] ?? 0)) ** 2 / count;
  }
  // A feature that never varies says nothing; it keeps its zeros.
  const deviation = square.map((variance) => (variance > 0 ? Math.sqrt(variance) : 1));
  const standard = features.map(
    (value, at) => (value - (mean[at % width] ?? 0)) / (deviation[at % width] ?? 1),
  );
  return { standard, mean, deviation };
}

/** Mean cross-entropy plus half the ridge times the squared weights; the bias is free. */
function crossEntropy(
  { features, labels, classes }: Samples,
  { width, ridge }: { readonly width: number; readonly ridge: number },
): Objective {
  const count = labels.length;
  return (x) => {
    const gradient = new Float64Array(x.length);
    const scores = new Float64Array(classes);
    let value = 0;
    for (let row = 0; row < count; row++) {
      const own = features.subarray(row * width, (row + 1) * width);
      scores.set(x.subarray(width * classes));
      for (let j = 0; j < width; j++) {
        const feature = own[j] ?? 0;
        const from = j * classes;
        for (let k = 0; k < classes; k++)
          scores[k] = (scores[k] ?? 0) + feature * (x[from + k] ?? 0);
      }
      value += softmaxLoss(scores, labels[row] ?? 0) / count;
      for (let j = 0; j <= width; j++) {
        const feature = (j === width ? 1 : (own[j] ?? 0)) / count;
        const from = j * classes;
        for (let k = 0; k < classes; k++) {
          gradient[from + k] = (gradient[from + k] ?? 0) + feature * (scores[k] ?? 0);
        }
      }
    }
    for (let i = 0; i < width * classes; i++) {
      value += (ridge / 2) * (x[i] ?? 0) ** 2;
      gradient[i] = (gradient[i] ?? 0) + ridge * (x[i] ?? 0);
    }
    return { value, gradient };
  };
}

/** The cross-entropy of scores; leaves its gradient, softmax - one-hot, in their place. */
export function softmaxLoss(scores: Float64Array, label: number): number {
  const most = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let sum = 0;
  for (const score of scores) sum += Math.exp(score - most);
  const loss = Math.log(sum) + most - (scores[label] ?? 0);
  for (const [k, score] of scores.entries()) {
    scores[k] = Math.exp(score - most) / sum - (k === label ? 1 : 0);
  }
  return loss;
}

/**
 * The temperature that makes probabilities of scores most likely on samples they were not fitted to (Guo,
 * Pleiss, Sun & Weinberger, ICML 2017): convex in 1 / T.
 */
export function fitTemperature(scores: Float64Array, labels: Int32Array, classes: number): number {
  const objective: Objective = ([inverse = 1]) => {
    const gradient = new Float64Array(1);
    let value = 0;
    for (const [row, label] of labels.entries()) {
      const own = scores.slice(row * classes, (row + 1) * classes);
      const scaled = own.map((score) => score * inverse);
      value += softmaxLoss(scaled, label) / labels.length;
      for (const [k, score] of own.entries()) {
        gradient[0] = (gradient[0] ?? 0) + ((scaled[k] ?? 0) * score) / labels.length;
      }
    }
    return { value, gradient };
  };
  const [inverse = 1] = minimise(objective, Float64Array.of(1)).x;
  // Scores that are never wrong would be made certain without end.
  return 1 / Math.min(100, Math.max(0.01, inverse));
}
