// How far off a forecaster's savings have been. What a schedule gains depends on differences between
// hours, not on their level, so the error is that of the saving itself: replayed at many issue times,
// the saving that was expected against the one that came.

import { mean, quantile, UserError } from "../../core/index.ts";
import { between, type Exposure, exposureOf } from "./exposure.ts";
import type { Forecaster } from "./forecast.ts";
import type { Policy, Run, Work } from "./policies/policy.ts";
import type { Signal } from "./signal.ts";

/** Errors of a forecaster for jobs of one shape, as shares of the emissions of starting at once. */
export interface ForecastError {
  /** Root mean square of realised less expected saving: below it a saving is noise. */
  readonly typical: number;
  /** 5 % and 95 % points of realised less expected saving; at most and at least 0. */
  readonly low: number;
  readonly high: number;
  /** 5 % and 95 % points of realised over expected intensity; at most and at least 1. */
  readonly level: { readonly low: number; readonly high: number };
  readonly source: string;
}

/** Of a replay that knows the future. */
export const PERFECT: ForecastError = {
  typical: 0,
  low: 0,
  high: 0,
  level: { low: 1, high: 1 },
  source: "perfect foresight",
};

/** An error that a person states: `share` is half the 90 % interval, of saving and level alike. */
export function declaredError(share: number): ForecastError {
  const level = { low: 1 / (1 + share), high: 1 + share };
  return { typical: share, low: -share, high: share, level, source: "declared" };
}

/** One decision of a back test. */
export interface Outcome {
  /** Exposure of starting at once, of the chosen runs as forecast, and as it came. */
  readonly atOnce: { readonly expected: number; readonly realised: number };
  readonly chosen: { readonly expected: number; readonly realised: number };
}

/** What is decided in a back test. */
export interface Backtest {
  readonly forecaster: Forecaster;
  readonly policy: Policy;
  /** Work that may start at an issue time. */
  readonly workAt: (issuedAt: number) => Work;
  /** Issue times, Unix seconds. */
  readonly origins: readonly number[];
}

/** Decides at every origin with what was known there, and looks up what came. */
export function backtest(record: Signal, test: Backtest): readonly Outcome[] {
  const real = exposureOf(record);
  return test.origins.map((issuedAt) => {
    const work = test.workAt(issuedAt);
    const horizon = work.latestStart + work.plannedS - issuedAt;
    const forecast = exposureOf(test.forecaster(record, issuedAt, horizon));
    const now: readonly Run[] = [{ start: work.earliest, end: work.earliest + work.plannedS }];
    const runs = test.policy.choose(work, forecast);
    const both = (of: readonly Run[]) => ({
      expected: exposureOfAll(of, forecast),
      realised: exposureOfAll(of, real),
    });
    return { atOnce: both(now), chosen: both(runs) };
  });
}

const exposureOfAll = (runs: readonly Run[], of: Exposure): number =>
  runs.reduce((sum, { start, end }) => sum + between(of, start, end), 0);

/** The error that a back test shows. Needs at least 20 decisions, for the 5 % points to mean anything. */
export function errorOf(outcomes: readonly Outcome[], source: string): ForecastError {
  if (outcomes.length < 20)
    throw new UserError("invalid-input", `${outcomes.length} forecasts do not show an error`, {
      hint: "Give at least 20 archived forecasts, or state the error.",
    });
  const saved = (of: Outcome, how: "expected" | "realised"): number =>
    1 - of.chosen[how] / of.atOnce[how];
  const errors = outcomes.map((of) => saved(of, "realised") - saved(of, "expected"));
  const levels = outcomes.map(({ chosen }) => chosen.realised / chosen.expected);
  const at = (values: readonly number[], p: number): number =>
    quantile(
      [...values].sort((a, b) => a - b),
      p,
    );
  return {
    typical: Math.sqrt(mean(errors.map((error) => error ** 2))),
    low: Math.min(0, at(errors, 0.05)),
    high: Math.max(0, at(errors, 0.95)),
    level: { low: Math.min(1, at(levels, 0.05)), high: Math.max(1, at(levels, 0.95)) },
    source,
  };
}
