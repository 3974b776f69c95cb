// Metrics of classes. Predictions are scores, one a class, or class numbers.

import { UserError } from "../../../core/index.ts";
import { bootstrapInterval } from "./interval.ts";
import { classesOf, labelsOf, type Metric, numbersOf, rowCount } from "./metric.ts";
import { proportion } from "./proportion.ts";

/** Share of samples whose class is right. */
export const accuracy: Metric = {
  name: "accuracy",
  better: "higher",
  of(predictions, truth) {
    rowCount("accuracy", predictions, truth);
    const classes = classesOf("accuracy", predictions);
    const labels = labelsOf("accuracy", truth);
    return proportion(
      "accuracy",
      Float64Array.from(labels, (label, row) => (classes[row] === label ? 1 : 0)),
    );
  },
};

/** Share of yes-or-no answers that are right; predictions are logits, above 0 for yes. */
export const binaryAccuracy: Metric = {
  name: "binary-accuracy",
  better: "higher",
  of(predictions, truth) {
    const samples = rowCount("binary-accuracy", predictions, truth);
    const labels = numbersOf("binary-accuracy", "label", truth);
    const hits = numbersOf("binary-accuracy", "prediction", predictions).map((logit, at) =>
      logit > 0 === (labels[at] ?? 0) > 0.5 ? 1 : 0,
    );
    const quality = proportion("binary-accuracy", hits);
    // Several answers a sample are no score of it.
    return samples === hits.length ? quality : { ...quality, samples, scores: null };
  },
};

/** Share of samples whose class is among the k with the largest scores. */
export function topK(k: number): Metric {
  const name = `top-${k}`;
  return {
    name,
    better: "higher",
    of(predictions, truth) {
      const rows = rowCount(name, predictions, truth);
      const scores = numbersOf(name, "prediction", predictions);
      const labels = labelsOf(name, truth);
      const width = scores.length / rows;
      if (width < k) {
        throw new UserError("invalid-input", `${name}: the model gives ${width} scores a sample`, {
          hint: "Choose a smaller k, or the output that has the scores.",
        });
      }
      const hits = Float64Array.from(labels, (label, row) => {
        const own = scores[row * width + label] ?? Number.NEGATIVE_INFINITY;
        let ahead = 0;
        // Among equal scores the earlier class goes first, as the largest does for accuracy.
        for (let c = 0; c < width; c++) {
          const other = scores[row * width + c] as number;
          if (other > own || (other === own && c < label)) ahead++;
        }
        return ahead < k ? 1 : 0;
      });
      return proportion(name, hits);
    },
  };
}

/** Share of samples on which two models choose the same class, where no labels are known. */
export const agreement: Metric = {
  name: "agreement",
  better: "higher",
  of(predictions, original) {
    rowCount("agreement", predictions, original);
    const classes = classesOf("agreement", predictions);
    const others = classesOf("agreement", original);
    return proportion(
      "agreement",
      Float64Array.from(others, (other, row) => (classes[row] === other ? 1 : 0)),
    );
  },
};

/**
 * F1, the harmonic mean of precision and recall. `macro` is the mean over the classes that occur among
 * labels or predictions, a class without a hit counting 0; `micro` counts all decisions alike, which for
 * one label a sample is accuracy. As scikit-learn defines both, with `zero_division=0`.
 */
export function f1(average: "macro" | "micro"): Metric {
  const name = `f1-${average}`;
  return {
    name,
    better: "higher",
    of(predictions, truth) {
      const rows = rowCount(name, predictions, truth);
      const classes = classesOf(name, predictions);
      const labels = labelsOf(name, truth);
      const count = 1 + Math.max(...new Set([...classes, ...labels]));
      const statistic = (chosen: Int32Array): number =>
        average === "macro"
          ? macroF1(classes, labels, chosen, count)
          : chosen.filter((row) => classes[row] === labels[row]).length / chosen.length;
      const all = Int32Array.from({ length: rows }, (_, row) => row);
      return {
        metric: name,
        value: statistic(all),
        interval: bootstrapInterval(rows, statistic),
        samples: rows,
        scores: null,
      };
    },
  };
}

function macroF1(classes: Int32Array, labels: Int32Array, rows: Int32Array, count: number): number {
  const hits = new Int32Array(count);
  const predicted = new Int32Array(count);
  const actual = new Int32Array(count);
  for (const row of rows) {
    const [guess, label] = [classes[row] as number, labels[row] as number];
    predicted[guess] = (predicted[guess] as number) + 1;
    actual[label] = (actual[label] as number) + 1;
    if (guess === label) hits[label] = (hits[label] as number) + 1;
  }
  let [sum, present] = [0, 0];
  for (let c = 0; c < count; c++) {
    const both = (predicted[c] as number) + (actual[c] as number);
    if (both === 0) continue;
    present++;
    sum += (2 * (hits[c] as number)) / both;
  }
  return sum / present;
}
