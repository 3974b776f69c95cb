// godwit's prediction beside the mean of the epochs seen so far times their number, which is the
// rule of Carbontracker (Anthony, Kanding & Selvan 2020, arXiv 2007.03051). Both are asked at the same
// moments: when the first prediction is given, and when a quarter and a half of the run is over.

import { mean, median } from "../../src/core/index.ts";
import { predictTotal } from "../../src/measure/run/predict.ts";

/** How well one set of runs was predicted; errors are relative to the true total. */
export interface Score {
  readonly runs: number;
  /** Epochs seen at the first prediction, median. */
  readonly firstAt: number;
  readonly godwit: number;
  readonly meanOfEpochs: number;
  /** Mean of the first epoch alone, the peer's default. */
  readonly firstEpoch: number;
  /** Share of runs whose true total lies in the 90 % interval. */
  readonly coverage: number;
  /** Width of the interval relative to the value, median. */
  readonly width: number;
}

/** The peer's rule. */
export function meanOfEpochs(seen: readonly number[], total: number): number {
  return mean(seen) * total;
}

/** Amounts of the epochs of one run. */
export type Series = readonly number[];

/** When predictions are compared. */
export type Moment = "first" | "quarter" | "half";

const PART: Readonly<Record<Moment, number>> = { first: 0, quarter: 1 / 4, half: 1 / 2 };

export function score(runs: readonly Series[], moment: Moment): Score {
  const results = runs.flatMap((epochs) => {
    const total = epochs.length;
    for (let seen = Math.max(2, Math.ceil(PART[moment] * total)); seen < total; seen++) {
      const known = epochs.slice(0, seen);
      const prediction = predictTotal(known, total);
      if (prediction === null) continue;
      const truth = epochs.reduce((sum, amount) => sum + amount, 0);
      const error = (guess: number): number => Math.abs(guess / truth - 1);
      return [
        {
          seen,
          godwit: error(prediction.value),
          peer: error(meanOfEpochs(known, total)),
          first: error(meanOfEpochs(epochs.slice(0, 1), total)),
          covered: prediction.low <= truth && truth <= prediction.high ? 1 : 0,
          width: (prediction.high - prediction.low) / prediction.value,
        },
      ];
    }
    return [];
  });
  return {
    runs: results.length,
    firstAt: median(results.map(({ seen }) => seen)),
    godwit: mean(results.map(({ godwit }) => godwit)),
    meanOfEpochs: mean(results.map(({ peer }) => peer)),
    firstEpoch: mean(results.map(({ first }) => first)),
    coverage: mean(results.map(({ covered }) => covered)),
    width: median(results.map(({ width }) => width)),
  };
}
