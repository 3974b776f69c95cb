// What it costs to wait only for savings beyond the forecast's own error: savings with that guard and
// without it, on nine recorded grids, and the errors that `godwit plan` assumes where none is known.
//
//   GODWIT_DATA=../shared/data node bench/schedule/guard.ts
//
// A 4-hour job within 24 h, decided at every hour from 1 July to 27 December 2021 by the 7-day mean by hour.

import { median } from "../../src/core/index.ts";
import {
  backtest,
  errorOf,
  fixedDuration,
  lowestWindow,
  type Outcome,
  signal,
  weekMean,
} from "../../src/systems/schedule/index.ts";
import { GRIDS, readGrid } from "../../test/grid-carbon.ts";

const HOUR = 3600;
const FIRST = Date.UTC(2021, 6, 1) / 1000;
const origins = Array.from({ length: 179 * 24 }, (_, at) => FIRST + at * HOUR);

const workAt = (earliest: number) => ({
  ...{ earliest, latestStart: earliest + 20 * HOUR, duration: fixedDuration(4 * HOUR) },
  ...{ plannedS: 4 * HOUR, watts: 1, interruption: null },
});

function outcomesOf(zone: string): readonly Outcome[] {
  const hours = readGrid(zone);
  const start = (hours[0]?.start ?? Number.NaN) / 1000;
  const values = hours.map(({ lifeCycle }) => lifeCycle);
  const record = signal({
    ...{ zone, kind: "average", basis: "location", start, step: HOUR, values },
    ...{ issuedAt: start + values.length * HOUR, source: "2021, life cycle" },
  });
  return backtest(record, { forecaster: weekMean, policy: lowestWindow, workAt, origins });
}

/** Share saved of all emissions when only promises of at least `least` are waited for. */
function saved(outcomes: readonly Outcome[], least: number): number {
  let [all, less] = [0, 0];
  for (const { atOnce, chosen } of outcomes) {
    all += atOnce.realised;
    if (1 - chosen.expected / atOnce.expected >= least) less += atOnce.realised - chosen.realised;
  }
  return less / all;
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`.padStart(7);

console.log(
  "grid   saved without guard   with it   error: typical, low, high; intensity: low, high",
);
const errors = GRIDS.map((grid) => {
  const outcomes = outcomesOf(grid);
  const error = errorOf(outcomes, grid);
  const { typical, low, high, level } = error;
  console.log(
    `${grid.padEnd(6)} ${percent(saved(outcomes, 0)).padStart(19)} ${percent(saved(outcomes, typical)).padStart(9)}` +
      `   ${[typical, low, high].map(percent).join(" ")}; ${level.low.toFixed(2)} ${level.high.toFixed(2)}`,
  );
  return error;
});
const of = (value: (error: (typeof errors)[number]) => number): number => median(errors.map(value));
console.log(
  `median of nine:                 ${[of((e) => e.typical), of((e) => e.low), of((e) => e.high)]
    .map(percent)
    .join(" ")}; ${of((e) => e.level.low).toFixed(2)} ${of((e) => e.level.high).toFixed(2)}`,
);
