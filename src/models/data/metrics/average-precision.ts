// Mean average precision over classes: how well the scores of each class rank its samples before others.

import { bootstrapInterval } from "./interval.ts";
import { labelsOf, type Metric, numbersOf, rowCount } from "./metric.ts";

/**
 * Average precision of a ranking: sum of precision times the step in recall, at every distinct score, so
 * that ties are taken together (as scikit-learn's `average_precision_score`). NaN without a positive.
 */
export function averagePrecision(scores: ArrayLike<number>, positive: ArrayLike<boolean>): number {
  const order = Array.from(scores, (_, row) => row).sort(
    (a, b) => (scores[b] as number) - (scores[a] as number),
  );
  const total = Array.from(positive).filter(Boolean).length;
  let [hits, seen, sum, recall] = [0, 0, 0, 0];
  order.forEach((row, at) => {
    seen++;
    if (positive[row] === true) hits++;
    const next = order[at + 1];
    if (next !== undefined && scores[next] === scores[row]) return;
    sum += (hits / seen) * (hits / total - recall);
    recall = hits / total;
  });
  return total === 0 ? Number.NaN : sum;
}

/** Mean over the classes that have samples of the average precision of each against the rest. */
export const meanAveragePrecision: Metric = {
  name: "map",
  better: "higher",
  of(predictions, truth) {
    const rows = rowCount("map", predictions, truth);
    const scores = numbersOf("map", "prediction", predictions);
    const labels = labelsOf("map", truth);
    const width = scores.length / rows;
    const statistic = (chosen: Int32Array): number => {
      let [sum, present] = [0, 0];
      for (let c = 0; c < width; c++) {
        const own = Float64Array.from(chosen, (row) => scores[row * width + c] as number);
        const precision = averagePrecision(
          own,
          Array.from(chosen, (row) => labels[row] === c),
        );
        if (Number.isNaN(precision)) continue;
        sum += precision;
        present++;
      }
      return sum / present;
    };
    const all = Int32Array.from({ length: rows }, (_, row) => row);
    return {
      metric: "map",
      value: statistic(all),
      // Sorting a thousand redraws of many samples and classes takes longer than it is worth.
      interval: bootstrapInterval(rows, statistic, { resamples: rows * width > 1e5 ? 100 : 1000 }),
      samples: rows,
      scores: null,
    };
  },
};
