// The range of each activation, from what passes by on calibration inputs. How it is chosen decides
// what int8 costs in accuracy: the whole range keeps outliers, a narrower one makes finer steps.

import { UserError } from "../../../../core/index.ts";
import type { Model } from "../../../../onnx/index.ts";
import { createKeeper } from "../../keeper.ts";
import type { PassContext } from "../../pass.ts";
import { type Range, UINT8 } from "../grid.ts";
import { entropyRange, oneSidedEntropyRange } from "./entropy.ts";
import type { Histogram } from "./histogram.ts";
import { leastErrorRange } from "./mse.ts";
import { type Extremes, observeExtremes, observeHistograms } from "./observe.ts";
import { DEFAULT_PERCENTILE, percentileRange } from "./percentile.ts";

/**
 * `minmax`: all that was seen. `moving-average`: of the runs' ranges, each new one weighing 1 %.
 * `sample-mean`: the mean of the runs' ranges. `percentile`, `entropy`, `mse`: from a histogram.
 */
export type CalibrationMethod =
  | "minmax"
  | "moving-average"
  | "sample-mean"
  | "percentile"
  | "entropy"
  | "mse";

export interface CalibrationOptions {
  /** Default: mse. */
  readonly method?: CalibrationMethod;
  /** Share of values inside the range, of a hundred. Default: 99.999. */
  readonly percentile?: number;
  /** Bins of the histograms. Default: 2,048. */
  readonly bins?: number;
}

const DEFAULT_BINS = 2048;

/** Below this many bins the search for least divergence has next to no candidates. */
const LEAST_ENTROPY_BINS = 2048;

/** Levels that a symmetric histogram is compared on; twice as many where nothing is negative. */
const ENTROPY_LEVELS = 128;

/**
 * Looks at a model's activations. Whatever several methods need in common is looked at once: the extremes,
 * and a histogram for each kind of span. Memory does not grow with the number of inputs.
 */
export interface Observer {
  /**
   * The range of each value; values that never had an element are left out. Throws UserError for what is
   * not finite and where there are no inputs, and the signal's reason.
   */
  ranges(
    options: CalibrationOptions | undefined,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, Range>>;
}

/** An observer of some values. Nothing is looked at before ranges are asked for. */
export function createObserver(
  model: Model,
  values: readonly string[],
  context: PassContext,
): Observer {
  const extremes = createKeeper<ReadonlyMap<string, Extremes>>();
  const histograms = createKeeper<ReadonlyMap<string, Histogram>>();
  return {
    async ranges({ method = "mse", bins = DEFAULT_BINS, percentile } = {}, signal) {
      if (method === "entropy" && bins < LEAST_ENTROPY_BINS) throw tooFewBins(bins);
      const own = signal === undefined ? context : { ...context, signal };
      const observed = await extremes("", () => observeExtremes(model, values, own));
      const mapped = (rangeOf: (of: Extremes, name: string) => Range): ReadonlyMap<string, Range> =>
        new Map([...observed].map(([name, of]) => [name, rangeOf(of, name)]));
      if (method === "minmax") return mapped(({ min, max }) => ({ min, max }));
      if (method === "sample-mean") return mapped(({ mean }) => mean);
      if (method === "moving-average") return mapped(({ moving }) => moving);
      const spans = mapped((of) => spanOf(of, method));
      const counted = await histograms(`${method === "entropy"} ${bins}`, () =>
        observeHistograms(model, observed, { spans, bins, context: own }),
      );
      return mapped((of, name) => {
        const histogram = counted.get(name);
        if (histogram === undefined) return of;
        return within(
          choose(histogram, of, { method, ...(percentile === undefined ? {} : { percentile }) }),
          of,
        );
      });
    },
  };
}

function tooFewBins(bins: number): UserError {
  const message = `entropy calibration with ${bins} bins has next to no range to choose from`;
  return new UserError("invalid-input", message, {
    hint: `Use at least ${LEAST_ENTROPY_BINS} bins, or another method.`,
  });
}

/** What the histogram spans: symmetric for entropy unless nothing is negative. */
function spanOf({ min, max }: Range, method: CalibrationMethod): Range {
  if (method !== "entropy") return { min: Math.min(min, 0), max: Math.max(max, 0) };
  const most = Math.max(-min, max);
  return { min: min >= 0 ? 0 : -most, max: most };
}

function choose(
  histogram: Histogram,
  observed: Range,
  { method, percentile = DEFAULT_PERCENTILE }: Pick<CalibrationOptions, "method" | "percentile">,
): Range {
  switch (method) {
    case "percentile":
      return percentileRange(histogram, percentile);
    case "entropy":
      return histogram.min < 0
        ? entropyRange(histogram, ENTROPY_LEVELS)
        : oneSidedEntropyRange(histogram, 2 * ENTROPY_LEVELS);
    default:
      return leastErrorRange(histogram, observed, UINT8);
  }
}

const within = (range: Range, { min, max }: Range): Range => ({
  min: Math.max(range.min, min),
  max: Math.min(range.max, max),
});
