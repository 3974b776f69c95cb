// Planning from a record alone: the forecast that a built-in forecaster makes of it, and how far off that
// forecaster's savings have been on the same record, for a job of the same shape.

import { UserError } from "../../core/index.ts";
import { suggest } from "../../core/suggest.ts";
import { type Forecaster, forecasters } from "./forecast.ts";
import { backtest, errorOf, type ForecastError } from "./forecast-error.ts";
import { type Job, latestStart, plannedDuration } from "./job.ts";
import { workOf } from "./planner.ts";
import type { Policy } from "./policies/policy.ts";
import { endOf, type Signal } from "./signal.ts";

const DAY = 86_400;
const FEWEST_DECISIONS = 20;
const MOST_DECISIONS = 90;

/** A built-in forecaster under the name by which people ask for it. */
export interface NamedForecaster {
  readonly name: string;
  readonly forecaster: Forecaster;
  /** Seconds of record that it needs before the issue time. */
  readonly memoryS: number;
}

export const namedForecasters: readonly NamedForecaster[] = [
  { name: "yesterday", forecaster: forecasters.yesterday, memoryS: DAY },
  { name: "week-mean", forecaster: forecasters.weekMean, memoryS: 7 * DAY },
  { name: "seasonal", forecaster: forecasters.seasonalNaive, memoryS: 7 * DAY },
];

/** The forecaster of a name. Throws UserError with the nearest there is. */
export function forecasterNamed(name: string): NamedForecaster {
  const found = namedForecasters.find((one) => one.name === name);
  if (found !== undefined) return found;
  const names = namedForecasters.map((one) => one.name);
  const near = suggest(name, names);
  throw new UserError("usage", `there is no forecaster "${name}"`, {
    hint: near === null ? `Give one of ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}

/**
 * The forecast of a record from `now` until `until`, made with what the record says up to `now`. Throws
 * UserError when the record ended more than a day before: its forecast would be of another season.
 */
export function forecastFrom(
  record: Signal,
  { name, forecaster }: NamedForecaster,
  { now, until }: { readonly now: number; readonly until: number },
): Signal {
  const issuedAt = Math.min(now, endOf(record));
  if (now - issuedAt > DAY) {
    const end = new Date(endOf(record) * 1000).toISOString().slice(0, 16);
    throw new UserError("invalid-input", `the record of ${record.zone} ended at ${end} UTC`, {
      hint: `${name} needs one that reaches to less than a day before now.`,
    });
  }
  // One step more: a forecast begins with the step that is under way.
  return forecaster(record, issuedAt, until - issuedAt + record.step);
}

/**
 * The error that the forecaster would have made on this record: the same job decided by the same policy
 * at the same time of day on each of up to 90 earlier days. Null when fewer than 20 days can be decided.
 */
export function errorOnRecord(
  record: Signal,
  { name, forecaster, memoryS }: NamedForecaster,
  { job, policy, now }: { readonly job: Job; readonly policy: Policy; readonly now: number },
): ForecastError | null {
  const [home] = job.zones;
  const work = workOf(job, home, now);
  const known = Math.min(now, endOf(record));
  const end = Math.max(latestStart(job, home), work.earliest) + plannedDuration(job);
  const first = Math.ceil((end - known) / DAY);
  const last = Math.floor((now - memoryS - record.start) / DAY);
  const count = Math.min(MOST_DECISIONS, last - first + 1);
  if (count < FEWEST_DECISIONS) return null;
  const outcomes = backtest(record, {
    forecaster,
    policy,
    origins: Array.from({ length: count }, (_, at) => now - (first + at) * DAY),
    workAt: (issuedAt) => ({
      ...work,
      earliest: work.earliest + issuedAt - now,
      latestStart: work.latestStart + issuedAt - now,
    }),
  });
  return errorOf(outcomes, `${name} decided this job on ${count} earlier days`);
}
