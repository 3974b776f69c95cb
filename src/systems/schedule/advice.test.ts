import { describe, expect, test } from "vitest";
import { GRIDS, missingGrids, readGrid } from "../../../test/grid-carbon.ts";
import { exact, median, UserError } from "../../core/index.ts";
import { advise } from "./advice.ts";
import { ASSUMED_ERROR } from "./assumed-error.ts";
import { duration, fixedDuration } from "./duration.ts";
import { weekMean } from "./forecast.ts";
import { backtest, declaredError, errorOf, PERFECT } from "./forecast-error.ts";
import { FREE_INTERRUPTION, type Job } from "./job.ts";
import type { PlanOptions } from "./planner.ts";
import { bestPolicyFor, builtInPolicies, policyNamed } from "./policies/built-in.ts";
import { lowestWindow } from "./policies/lowest-window.ts";
import { type Signal, signal } from "./signal.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

const hourly = (values: readonly number[], start = 0): Signal =>
  signal({
    ...{ zone: "DE", kind: "average", basis: "location", issuedAt: start, start, step: HOUR },
    values,
    source: "a forecast",
  });

/** 1 kW for two hours, to be done by 8 h: an hour at 100 gCO2e/kWh emits 100 g. */
const job = (changes: Partial<Job> = {}): Job => ({
  id: "train",
  submittedAt: 0,
  earliest: 0,
  deadline: 8 * HOUR,
  duration: fixedDuration(2 * HOUR),
  power: exact("W", 1000, { method: "declared", source: "a test" }),
  interruptible: null,
  scale: null,
  zones: [{ zone: "DE", bytes: 0, joulesPerByte: 0, startLatencyS: 0 }],
  pinned: false,
  ...changes,
});

const options = (changes: Partial<PlanOptions> = {}): PlanOptions => ({
  ...{ now: 0, policy: lowestWindow, error: PERFECT, threshold: 0 },
  ...changes,
});

const CLEAN_AT_FOUR = hourly([400, 400, 400, 200, 100, 100, 300, 400]);

describe("advice", () => {
  test("is to wait when a later start is worth it", () => {
    const { verdict, jobPlan } = advise(job(), CLEAN_AT_FOUR, options());
    expect(verdict).toEqual({ kind: "wait" });
    expect(jobPlan.runs).toEqual([{ start: 4 * HOUR, end: 6 * HOUR, nodes: 1 }]);
  });

  test("is to start now, with the saving that was passed over, when it is within the error", () => {
    const error = declaredError(0.8);
    const { verdict, jobPlan } = advise(job(), CLEAN_AT_FOUR, options({ error }));
    expect(verdict).toEqual({ kind: "not-worth-it", share: 0.75, needed: 0.8 });
    // What runs as it would have by itself saves nothing, and that is certain.
    expect(jobPlan.saving).toMatchObject({ value: 0, low: 0, high: 0 });
  });

  test("is to start now when now is cleanest, whatever the error", () => {
    const falling = hourly([100, 100, 200, 300, 400, 400, 400, 400]);
    for (const error of [PERFECT, declaredError(0.5)])
      expect(advise(job(), falling, options({ error })).verdict).toEqual({ kind: "now-is-best" });
  });

  test("is to start now when 95 % of runs do not fit, and nothing when half of them do not", () => {
    const spread = duration([
      { p: 0.5, seconds: 6 * HOUR },
      { p: 0.95, seconds: 9 * HOUR },
    ]);
    const long = hourly(Array.from({ length: 12 }, () => 100));
    const late = advise(job({ duration: spread }), long, options());
    expect(late.verdict).toEqual({ kind: "late" });
    expect(late.proposals).toEqual([]);
    expect(() => advise(job({ duration: fixedDuration(9 * HOUR) }), long, options())).toThrow(
      "takes 9 h, its window is 8 h",
    );
  });

  test("says what every policy would do, or why it does not fit", () => {
    const { proposals } = advise(job(), CLEAN_AT_FOUR, options());
    expect(proposals.map(({ policy }) => policy)).toEqual(builtInPolicies.map(({ name }) => name));
    const unfit = proposals.filter(({ status }) => status === "unfit");
    expect(unfit.map(({ policy }) => policy)).toEqual([
      "ecovisor",
      "wait-awhile-interrupting",
      "suspend-resume",
    ]);
    const [now, , lowest] = proposals;
    expect(now).toMatchObject({ policy: "run-now", share: 0 });
    expect(now?.status === "placed" && now.grams).toBeCloseTo(800, 9);
    expect(lowest).toMatchObject({ policy: "lowest-window", share: 0.75 });
  });

  test("interrupts what may be interrupted, by the policy that is exact for it", () => {
    const split = hourly([100, 400, 400, 400, 400, 400, 400, 100]);
    const free = job({ interruptible: FREE_INTERRUPTION });
    const policy = bestPolicyFor(free);
    expect(policy.name).toBe("wait-awhile-interrupting");
    const { verdict, jobPlan } = advise(free, split, options({ policy }));
    expect(verdict).toEqual({ kind: "wait" });
    expect(jobPlan.runs.map(({ start }) => start)).toEqual([0, 7 * HOUR]);
    const paying = job({ interruptible: { ...FREE_INTERRUPTION, restartS: 60 } });
    expect(bestPolicyFor(paying).name).toBe("suspend-resume");
    expect(() => advise(paying, split, options({ policy }))).toThrow(
      "the job cannot stop at any time for nothing",
    );
  });

  test("a stop that costs nothing and lasts no time is not told as one", () => {
    const hourAtLeast = job({ interruptible: { ...FREE_INTERRUPTION, minimumRunS: HOUR } });
    const policy = bestPolicyFor(hourAtLeast);
    const { jobPlan } = advise(hourAtLeast, CLEAN_AT_FOUR, options({ policy }));
    expect(jobPlan.runs).toEqual([{ start: 4 * HOUR, end: 6 * HOUR, nodes: 1 }]);
  });

  test("a policy that is not there gets the nearest name", () => {
    expect(() => policyNamed("lowest-windows")).toThrow(
      expect.objectContaining({ hint: "Did you mean lowest-window?" }),
    );
    expect(() => policyNamed("greedy")).toThrow(UserError);
  });
});

describe.skipIf(missingGrids !== null)("on German hours", () => {
  const hours = missingGrids === null ? readGrid("DE") : [];
  const from = Date.UTC(2021, 5, 10, 14) / 1000;
  const day = hours.filter(({ start }) => start >= from * 1000).slice(0, 24);

  test("the window is the best of all whole hours of 10 June 2021, by brute force", () => {
    const values = day.map(({ lifeCycle }) => lifeCycle);
    const sums = Array.from({ length: 24 - 3 }, (_, at) =>
      values.slice(at, at + 4).reduce((sum, value) => sum + value, 0),
    );
    const best = Math.min(...sums);
    const asked = job({
      ...{ submittedAt: from, earliest: from, deadline: from + DAY },
      duration: fixedDuration(4 * HOUR),
    });
    const { jobPlan } = advise(asked, hourly(values, from), options({ now: from }));
    expect(jobPlan.runs[0]?.start).toBe(from + sums.indexOf(best) * HOUR);
    // 1 kW for an hour at each of the four intensities.
    expect(jobPlan.expected.value).toBeCloseTo(best, 6);
    expect(jobPlan.saving.value).toBeCloseTo((sums[0] ?? Number.NaN) - best, 6);
  });
});

test.skipIf(missingGrids !== null)(
  "the assumed error is the median of nine grids, as it says",
  () => {
    const first = Date.UTC(2021, 6, 1) / 1000;
    const errors = GRIDS.map((grid) => {
      const hours = readGrid(grid);
      const record = hourly(
        hours.map(({ lifeCycle }) => lifeCycle),
        (hours[0]?.start ?? Number.NaN) / 1000,
      );
      const last = Math.min(first + 180 * DAY, record.start + record.values.length * HOUR - DAY);
      const origins = Array.from({ length: (last - first) / HOUR }, (_, at) => first + at * HOUR);
      const workAt = (earliest: number) => ({
        ...{ earliest, latestStart: earliest + 20 * HOUR, duration: fixedDuration(4 * HOUR) },
        ...{ plannedS: 4 * HOUR, watts: 1, interruption: null },
      });
      return errorOf(
        backtest(record, { forecaster: weekMean, policy: lowestWindow, workAt, origins }),
        grid,
      );
    });
    const of = (value: (error: (typeof errors)[number]) => number): number =>
      median(errors.map(value));
    expect(of(({ typical }) => typical)).toBeCloseTo(ASSUMED_ERROR.typical, 2);
    expect(of(({ low }) => low)).toBeCloseTo(ASSUMED_ERROR.low, 2);
    expect(of(({ high }) => high)).toBeCloseTo(ASSUMED_ERROR.high, 2);
    expect(of(({ level }) => level.low)).toBeCloseTo(ASSUMED_ERROR.level.low, 2);
    expect(of(({ level }) => level.high)).toBeCloseTo(ASSUMED_ERROR.level.high, 2);
  },
);
