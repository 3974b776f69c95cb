// What a forecaster is worth to a scheduler: how much of the saving that perfect foresight would bring it
// catches. Forecast error in percent says little about that; where this share is near one, a better
// forecast is not worth the energy it takes to compute.

import { fixedDuration } from "./duration.ts";
import { between, exposureOf } from "./exposure.ts";
import { type Forecaster, perfect } from "./forecast.ts";
import { backtest } from "./forecast-error.ts";
import { lowestWindow } from "./policies/lowest-window.ts";
import type { Work } from "./policies/policy.ts";
import type { Signal } from "./signal.ts";

/** A job started once a day within its window. */
export interface DailyJob {
  readonly lengthS: number;
  /** From the issue time to the latest end, seconds. */
  readonly windowS: number;
  /** Issue times, Unix seconds. */
  readonly origins: readonly number[];
}

/** Savings against a start drawn at random in the window, shares of its emissions. */
export interface DecisionValue {
  readonly oracle: number;
  readonly forecaster: number;
  /** Share of the oracle's saving that the forecaster catches. */
  readonly caught: number;
}

/** The value of a forecaster on a record of what came. */
export function decisionValue(
  record: Signal,
  forecaster: Forecaster,
  { lengthS, windowS, origins }: DailyJob,
): DecisionValue {
  const workAt = (earliest: number): Work => ({
    earliest,
    latestStart: earliest + windowS - lengthS,
    duration: fixedDuration(lengthS),
    plannedS: lengthS,
    watts: 1,
    interruption: null,
    pitchS: record.step,
  });
  const emitted = (by: Forecaster): number =>
    backtest(record, { forecaster: by, policy: lowestWindow, workAt, origins }).reduce(
      (sum, { chosen }) => sum + chosen.realised,
      0,
    );
  const real = exposureOf(record);
  const starts = Math.floor((windowS - lengthS) / record.step) + 1;
  let random = 0;
  for (const origin of origins)
    for (let at = 0; at < starts; at++) {
      const start = origin + at * record.step;
      random += between(real, start, start + lengthS) / starts;
    }
  const oracle = 1 - emitted(perfect) / random;
  const reached = 1 - emitted(forecaster) / random;
  return { oracle, forecaster: reached, caught: reached / oracle };
}
