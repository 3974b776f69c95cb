// What activations are like over all calibration inputs: their extremes, and histograms of them.

import { UserError } from "../../../../core/index.ts";
import type { TensorElements } from "../../../../engine/index.ts";
import type { Model } from "../../../../onnx/index.ts";
import type { PassContext } from "../../pass.ts";
import type { Range } from "../grid.ts";
import { count, emptyHistogram, type Histogram } from "./histogram.ts";
import { type Extreme, type Sizes, sizesOf, withElements, withExtremes } from "./probes.ts";
import { streamValues } from "./stream.ts";

/** The extremes of a value over all runs: together, on average, and as a moving average. */
export interface Extremes extends Range {
  readonly mean: Range;
  readonly moving: Range;
  readonly runs: number;
}

/**
 * Extremes of each value that ever had an element. Throws UserError for what is not finite and where there
 * are no inputs.
 */
export async function observeExtremes(
  model: Model,
  values: readonly string[],
  context: PassContext,
): Promise<ReadonlyMap<string, Extremes>> {
  const extremes = new Map<string, Extremes>();
  const see = (name: string, range: Range | null): void => {
    if (range !== null) extremes.set(name, extended(extremes.get(name), range));
  };
  const inside = await sizesAtFirst(model, values, context);
  const probed = withExtremes(model, [...inside.keys()], context);
  const others = values.filter((name) => !inside.has(name));
  // The last of a value's three figures completes its range in this run.
  const told = new Map<string, Partial<Record<Extreme, number>>>();
  await streamValues(
    probed.model,
    [...probed.outputs.keys(), ...others],
    context,
    (name, elements) => {
      const probe = probed.outputs.get(name);
      if (probe === undefined) return see(name, rangeOf(name, elements));
      const { value, extreme } = probe;
      const figures: Partial<Record<Extreme, number>> = {
        ...told.get(value),
        [extreme]: Number(elements[0]),
      };
      const { min, max, sum } = figures;
      if (min === undefined || max === undefined || sum === undefined) {
        told.set(value, figures);
        return;
      }
      told.delete(value);
      if (Number.isNaN(sum)) throw notFinite(value);
      see(value, finite(value, { min, max }));
    },
    { pass: "calibrate", step: "ranges" },
  );
  return extremes;
}

export interface HistogramOptions {
  /** What the histogram of each value spans. */
  readonly spans: ReadonlyMap<string, Range>;
  readonly bins: number;
  readonly context: PassContext;
}

/**
 * Histograms of values. Of large ones elements are counted that are spread evenly over them, each for those
 * that it stands for, and the extremes, which are known, for themselves.
 */
export async function observeHistograms(
  model: Model,
  extremes: ReadonlyMap<string, Range>,
  { spans, bins, context }: HistogramOptions,
): Promise<ReadonlyMap<string, Histogram>> {
  const histograms = new Map(
    [...spans].map(([name, span]) => [name, emptyHistogram(span, bins)] as const),
  );
  const names = [...spans.keys()];
  const inside = await sizesAtFirst(model, names, context);
  const probed = withElements(model, inside, context);
  for (const { value, stride } of probed.outputs.values()) {
    const { min, max } = extremes.get(value) ?? { min: Number.NaN, max: Number.NaN };
    const histogram = histograms.get(value);
    if (histogram !== undefined && stride > 1) count(histogram, Float32Array.of(min, max));
  }
  await streamValues(
    probed.model,
    [...probed.outputs.keys(), ...names.filter((name) => !inside.has(name))],
    context,
    (name, elements) => {
      const { value, stride } = probed.outputs.get(name) ?? { value: name, stride: 1 };
      const histogram = histograms.get(value);
      if (histogram === undefined || !(elements instanceof Float32Array)) return;
      count(histogram, elements, stride);
    },
    { pass: "calibrate", step: "histograms" },
  );
  return histograms;
}

/** Sizes of values for the first inputs. */
async function sizesAtFirst(
  model: Model,
  values: readonly string[],
  { calibration }: PassContext,
): Promise<Sizes> {
  for await (const feeds of calibration?.() ?? []) return sizesOf(model, values, feeds);
  return new Map();
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
  return finite(name, { min, max });
}

function finite(name: string, range: Range): Range {
  if (Number.isFinite(range.min) && Number.isFinite(range.max)) return range;
  throw notFinite(name);
}

function notFinite(name: string): UserError {
  return new UserError("invalid-input", `value "${name}" is not finite on a calibration input`, {
    hint: "Check the inputs, and whether the model computes NaN or infinities by itself.",
  });
}

/** Weight of a new run in the moving average, as ONNX Runtime has it. */
const AVERAGING = 0.01;

function extended(before: Extremes | undefined, run: Range): Extremes {
  if (before === undefined) return { ...run, mean: run, moving: run, runs: 1 };
  const runs = before.runs + 1;
  return {
    min: Math.min(before.min, run.min),
    max: Math.max(before.max, run.max),
    mean: between(before.mean, run, 1 / runs),
    moving: between(before.moving, run, AVERAGING),
    runs,
  };
}

const between = (from: Range, to: Range, share: number): Range => ({
  min: from.min + share * (to.min - from.min),
  max: from.max + share * (to.max - from.max),
});
