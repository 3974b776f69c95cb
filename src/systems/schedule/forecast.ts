// Forecasters that need nothing but history, as plain functions, and forecasts kept as they were issued.
// They are the bar that a model has to clear; where yesterday's curve catches 97 % of the oracle's
// saving (California), no model is worth running.

import { UserError } from "../../core/index.ts";
import { endOf, type Signal, type SignalBasis, type SignalKind, signal } from "./signal.ts";

/** Says the future from what was known at `issuedAt` (Unix s), for `horizon` seconds. */
export type Forecaster = <K extends SignalKind, B extends SignalBasis>(
  history: Signal<K, B>,
  issuedAt: number,
  horizon: number,
) => Signal<K, B>;

const DAY = 86_400;
const WEEK = 7 * DAY;

/** The last whole day, repeated. */
export const yesterday: Forecaster = (history, issuedAt, horizon) =>
  seasonal(history, issuedAt, horizon, { name: "yesterday's curve", period: DAY, seasons: 1 });

/** For each time of day the mean of the last seven days. */
export const weekMean: Forecaster = (history, issuedAt, horizon) =>
  seasonal(history, issuedAt, horizon, { name: "7-day mean by hour", period: DAY, seasons: 7 });

/** The last whole week, repeated: the seasonal naive forecast. */
export const seasonalNaive: Forecaster = (history, issuedAt, horizon) =>
  seasonal(history, issuedAt, horizon, { name: "last week's curve", period: WEEK, seasons: 1 });

/** What really came. Only a replay can have it; it is the bound of every forecaster. */
export const perfect: Forecaster = (history, issuedAt, horizon) => {
  const { first, count } = window(history, issuedAt, horizon);
  return issue(history, issuedAt, "perfect foresight", (at) => history.values[first + at], count);
};

/** The forecasters that are built in, by name. */
export const forecasters = { yesterday, weekMean, seasonalNaive, perfect } as const;

interface Season {
  readonly name: string;
  /** Length of a season, seconds. */
  readonly period: number;
  /** How many of the last seasons are averaged. */
  readonly seasons: number;
}

function seasonal<K extends SignalKind, B extends SignalBasis>(
  history: Signal<K, B>,
  issuedAt: number,
  horizon: number,
  { name, period, seasons }: Season,
): Signal<K, B> {
  const { first, count } = window(history, issuedAt, horizon);
  const length = period / history.step;
  if (!Number.isInteger(length) || first - length * seasons < 0 || first > history.values.length)
    throw new UserError("invalid-input", `${name} of ${history.zone} cannot be formed`, {
      hint: `It needs ${(period * seasons) / DAY} days of history before the issue time, in steps that divide a day.`,
    });
  const value = (at: number): number => {
    let sum = 0;
    for (let season = 1; season <= seasons; season++)
      sum += history.values[first - season * length + (at % length)] ?? NaN;
    return sum / seasons;
  };
  return issue(history, issuedAt, name, value, count);
}

/** First step that is not known at the issue time, and the steps of the horizon. */
function window(history: Signal, issuedAt: number, horizon: number) {
  const first = Math.floor((issuedAt - history.start) / history.step);
  return { first, count: Math.ceil(horizon / history.step) };
}

function issue<K extends SignalKind, B extends SignalBasis>(
  history: Signal<K, B>,
  issuedAt: number,
  name: string,
  value: (at: number) => number | undefined,
  count: number,
): Signal<K, B> {
  const first = Math.floor((issuedAt - history.start) / history.step);
  const { zone, kind, basis, step, source } = history;
  const values = Float64Array.from({ length: count }, (_, at) => value(at) ?? NaN);
  const start = history.start + first * step;
  if (values.includes(NaN))
    throw new UserError("invalid-input", `${name} of ${zone} ends before its horizon`, {
      hint: "The record must reach over the whole horizon to be used as perfect foresight.",
    });
  return signal({ zone, kind, basis, step, start, issuedAt, values, source: `${name}; ${source}` });
}

/** Forecasts kept with their issue times: gives the last that was known at the asked time. */
export function archived(archive: readonly Signal[]): Forecaster {
  return (history, issuedAt, horizon) => {
    const known = archive.filter(
      (one) => one.zone === history.zone && one.issuedAt <= issuedAt && endOf(one) > issuedAt,
    );
    const last = known.reduce<Signal | null>(
      (best, one) => (best === null || one.issuedAt > best.issuedAt ? one : best),
      null,
    );
    const unlike = last?.kind !== history.kind || last.basis !== history.basis;
    if (last === null || unlike || endOf(last) < issuedAt + horizon)
      throw new UserError("invalid-input", `no archived forecast of ${history.zone} fits`, {
        hint: "One must have been issued before, be of the same kind, and reach over the horizon.",
      });
    // Kind and basis were just compared; the archive's static type cannot know them.
    return last as typeof history;
  };
}
