// The range of each activation, from what passes by on calibration inputs. How it is chosen decides
// what int8 costs in accuracy: the whole range keeps outliers, a narrower one makes finer steps.

import { UserError } from "../../../../core/index.ts";
import type { TensorElements } from "../../../../engine/index.ts";
import type { Model } from "../../../../onnx/index.ts";
import type { PassContext } from "../../pass.ts";
import { type Range, UINT8 } from "../grid.ts";
import { entropyRange, oneSidedEntropyRange } from "./entropy.ts";
import { count, emptyHistogram, type Histogram } from "./histogram.ts";
import { leastErrorRange } from "./mse.ts";
import { DEFAULT_PERCENTILE, percentileRange } from "./percentile.ts";
import { streamValues } from "./stream.ts";

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

/** Weight of a new run in the moving average, as ONNX Runtime has it. */
const AVERAGING = 0.01;

/** What the extremes of a value were, over all runs. */
interface Extremes extends Range {
  /** By the method's own rule: of all runs, on average, or moving. */
  readonly chosen: Range;
  readonly runs: number;
}

/**
 * The range of each value. Looks at the inputs once, or twice for methods with a histogram; memory does
 * not grow with their number. Values that never had an element are left out. Throws UserError for what
 * is not finite and where there are no inputs.
 */
export async function calibrate(
  model: Model,
  values: readonly string[],
  context: PassContext,
  options: CalibrationOptions = {},
): Promise<ReadonlyMap<string, Range>> {
  const { method = "mse", bins = DEFAULT_BINS } = options;
  if (method === "entropy" && bins < LEAST_ENTROPY_BINS) throw tooFewBins(bins);
  const extremes = new Map<string, Extremes>();
  await streamValues(
    model,
    values,
    context,
    (name, elements) => {
      const range = rangeOf(name, elements);
      if (range !== null) extremes.set(name, extended(extremes.get(name), range, method));
    },
    { pass: "calibrate", step: "ranges" },
  );
  if (method === "minmax" || method === "moving-average" || method === "sample-mean") {
    return new Map([...extremes].map(([name, { chosen }]) => [name, chosen]));
  }
  const histograms = new Map(
    [...extremes].map(([name, range]) => [name, emptyHistogram(spanOf(range, method), bins)]),
  );
  await streamValues(
    model,
    [...extremes.keys()],
    context,
    (name, elements) => {
      const histogram = histograms.get(name);
      if (histogram !== undefined && elements instanceof Float32Array) count(histogram, elements);
    },
    { pass: "calibrate", step: "histograms" },
  );
  return new Map(
    [...extremes].map(([name, observed]) => {
      const histogram = histograms.get(name);
      const range = histogram === undefined ? observed : choose(histogram, observed, options);
      return [name, within(range, observed)];
    }),
  );
}

/** Least and largest element; null where there is none. Throws UserError for one that is not finite. */
function rangeOf(name: string, elements: TensorElements): Range | null {
  if (!(elements instanceof Float32Array) || elements.length === 0) return null;
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  // By index: iterators take four times as long, and this sees every element of every run.
  for (let at = 0; at < elements.length; at++) {
    const value = elements[at] ?? 0;
    // NaN fails both comparisons, so it is looked for on its own.
    if (value < min) min = value;
    if (value > max) max = value;
    if (Number.isNaN(value)) throw notFinite(name);
  }
  if (!Number.isFinite(min) || !Number.isFinite(max)) throw notFinite(name);
  return { min, max };
}

function notFinite(name: string): UserError {
  return new UserError("invalid-input", `value "${name}" is not finite on a calibration input`, {
    hint: "Check the inputs, and whether the model computes NaN or infinities by itself.",
  });
}

function tooFewBins(bins: number): UserError {
  const message = `entropy calibration with ${bins} bins has next to no range to choose from`;
  return new UserError("invalid-input", message, {
    hint: `Use at least ${LEAST_ENTROPY_BINS} bins, or another method.`,
  });
}

function extended(before: Extremes | undefined, run: Range, method: CalibrationMethod): Extremes {
  if (before === undefined) return { ...run, chosen: run, runs: 1 };
  const [min, max] = [Math.min(before.min, run.min), Math.max(before.max, run.max)];
  const runs = before.runs + 1;
  const towards = (share: number): Range => ({
    min: before.chosen.min + share * (run.min - before.chosen.min),
    max: before.chosen.max + share * (run.max - before.chosen.max),
  });
  if (method === "moving-average") return { min, max, chosen: towards(AVERAGING), runs };
  if (method === "sample-mean") return { min, max, chosen: towards(1 / runs), runs };
  return { min, max, chosen: { min, max }, runs };
}

/** What the histogram spans: symmetric for entropy unless nothing is negative. */
function spanOf({ min, max }: Range, method: CalibrationMethod): Range {
  if (method !== "entropy") return { min: Math.min(min, 0), max: Math.max(max, 0) };
  const most = Math.max(-min, max);
  return { min: min >= 0 ? 0 : -most, max: most };
}

function choose(histogram: Histogram, observed: Range, options: CalibrationOptions): Range {
  switch (options.method) {
    case "percentile":
      return percentileRange(histogram, options.percentile ?? DEFAULT_PERCENTILE);
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
