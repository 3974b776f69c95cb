// How well a form does on servers that it has not seen, and the interval that follows from it.

import { mean, quantile } from "../../src/core/index.ts";
import type { Form, Predict } from "./forms.ts";
import { LOADS, type MeasuredServer } from "./spec-systems.ts";

/** One server left out: what was predicted without it. */
export interface Held {
  readonly system: MeasuredServer;
  readonly predicted: readonly number[];
  /** Servers of one fold were left out together. */
  readonly fold: string;
}

/** Predictions for each group of servers by a fit on all the others. */
export function leaveOut(
  form: Form,
  systems: readonly MeasuredServer[],
  options: { readonly by: "cpu" | "family"; readonly from: number },
): readonly Held[] {
  const tested = systems.filter((system) => system.year >= options.from);
  const groups = new Set(tested.map((system) => system[options.by]));
  return [...groups].flatMap((fold) => {
    const predict = form.fit(systems.filter((system) => system[options.by] !== fold));
    return held(
      predict,
      tested.filter((system) => system[options.by] === fold),
      fold,
    );
  });
}

/** Predictions for servers available after `fitUntil` up to `testUntil` by a fit on earlier ones. */
export function later(
  form: Form,
  systems: readonly MeasuredServer[],
  years: { readonly fitUntil: number; readonly testUntil: number },
): readonly Held[] {
  const predict = form.fit(systems.filter((system) => system.year <= years.fitUntil));
  const tested = systems.filter(
    (system) => system.year > years.fitUntil && system.year <= years.testUntil,
  );
  return held(predict, tested, `after ${years.fitUntil}`);
}

const held = (
  predict: Predict,
  systems: readonly MeasuredServer[],
  fold: string,
): readonly Held[] => systems.map((system) => ({ system, predicted: predict(system), fold }));

/** Measured over predicted power at one load, or at all loads. */
function ratios(rows: readonly Held[], level?: number): readonly number[] {
  return rows.flatMap(({ system, predicted }) => {
    const all = system.watts.map((watts, i) => watts / (predicted[i] ?? Number.NaN));
    return level === undefined ? all : all.slice(level, level + 1);
  });
}

/** Mean absolute error relative to the measured power, over servers and loads. */
export function mape(rows: readonly Held[]): number {
  return mean(ratios(rows).map((ratio) => Math.abs(1 / ratio - 1)));
}

/** Mean error relative to the measured power; negative when too little is predicted. */
export function bias(rows: readonly Held[]): number {
  return mean(ratios(rows).map((ratio) => 1 / ratio - 1));
}

/** Factors on the prediction between which the measured power lies in 90 % of cases, by load. */
export interface Band {
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** The band of left-out servers: 5 and 95 % quantiles of measured over predicted at each load. */
function bandOf(rows: readonly Held[]): Band {
  const sorted = LOADS.map((_, level) => [...ratios(rows, level)].sort((a, b) => a - b));
  return {
    low: sorted.map((values) => quantile(values, 0.05)),
    high: sorted.map((values) => quantile(values, 0.95)),
  };
}

/** Share of the measured powers that lie inside the band. */
export function coverage(rows: readonly Held[], band: Band): number {
  const inside = rows.flatMap(({ system, predicted }) =>
    system.watts.map((watts, i) => {
      const ratio = watts / (predicted[i] ?? Number.NaN);
      return ratio >= (band.low[i] ?? 0) && ratio <= (band.high[i] ?? 0) ? 1 : 0;
    }),
  );
  return mean(inside);
}

/** Coverage when each fold is judged by the band of the other folds. */
export function crossCoverage(rows: readonly Held[]): number {
  const folds = new Set(rows.map((row) => row.fold));
  const shares = [...folds].flatMap((fold) => {
    const own = rows.filter((row) => row.fold === fold);
    const share = coverage(own, bandOf(rows.filter((row) => row.fold !== fold)));
    return own.map(() => share);
  });
  return mean(shares);
}

/** A band whose logarithm is stretched by a factor. */
function stretched(band: Band, factor: number): Band {
  return {
    low: band.low.map((value) => value ** factor),
    high: band.high.map((value) => value ** factor),
  };
}

/**
 * The band of left-out servers, stretched until the band of the other folds covers 90 % of each
 * fold on average: quantiles of few and clustered servers are too narrow for a new one.
 */
export function calibratedBand(rows: readonly Held[]): { band: Band; stretch: number } {
  const folds = [...new Set(rows.map((row) => row.fold))];
  const tests = folds.map((fold) => ({
    own: rows.filter((row) => row.fold === fold),
    band: bandOf(rows.filter((row) => row.fold !== fold)),
  }));
  const covered = (stretch: number): number =>
    tests.reduce((n, { own, band }) => n + own.length * coverage(own, stretched(band, stretch)), 0);
  let stretch = 1;
  while (covered(stretch) < 0.9 * rows.length) stretch += 0.05;
  return { band: stretched(bandOf(rows), stretch), stretch };
}
