// Planning from a record, what the ledger knows of a job, and series of providers as signals.

import { describe, expect, test } from "vitest";
import { exampleCard } from "../../../test/example-card.ts";
import { exact, figure } from "../../core/index.ts";
import { createSeries, type IntensityPoint } from "../../measure/carbon/index.ts";
import { durationAt, fixedDuration } from "./duration.ts";
import { errorOnRecord, forecasterNamed, forecastFrom } from "./history.ts";
import type { Job } from "./job.ts";
import { learnedJob } from "./learned-job.ts";
import { lowestWindow } from "./policies/lowest-window.ts";
import { endOf, signal, valueAt } from "./signal.ts";
import { newestStretch, signalOfSeries } from "./signal-of-series.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Every day alike: dirty by night, clean at noon. */
const daily = (days: number, change = (_at: number) => 0) =>
  signal({
    ...{ zone: "DE", kind: "average", basis: "location", start: 0, step: HOUR, source: "record" },
    issuedAt: days * DAY,
    values: Array.from(
      { length: days * 24 },
      (_, at) => 300 + 100 * Math.cos((at * Math.PI) / 12) + change(at),
    ),
  });

const jobAt = (now: number): Job => ({
  ...{ id: "train", submittedAt: now, earliest: now, deadline: now + DAY },
  duration: fixedDuration(4 * HOUR),
  power: exact("W", 100, { method: "declared", source: "a test" }),
  ...{ interruptible: null, scale: null, pinned: false },
  zones: [{ zone: "DE", bytes: 0, joulesPerByte: 0, startLatencyS: 0 }],
});

describe("a forecast from a record", () => {
  const yesterday = forecasterNamed("yesterday");

  test("reaches over the window, also when now is within a step", () => {
    const now = 10 * DAY - 1800;
    const forecast = forecastFrom(daily(10), yesterday, { now, until: now + DAY });
    expect(forecast.start).toBeLessThanOrEqual(now);
    expect(endOf(forecast)).toBeGreaterThanOrEqual(now + DAY);
    expect(valueAt(forecast, 10 * DAY + 12 * HOUR)).toBeCloseTo(200, 9);
  });

  test("is made though the newest hours are not published yet, and refused when a day is missing", () => {
    const now = 10 * DAY + 3 * HOUR;
    const forecast = forecastFrom(daily(10), yesterday, { now, until: now + DAY });
    expect(valueAt(forecast, 10 * DAY + 12 * HOUR)).toBeCloseTo(200, 9);
    expect(() => forecastFrom(daily(10), yesterday, { now: 12 * DAY, until: 13 * DAY })).toThrow(
      "the record of DE ended at 1970-01-11T00:00 UTC",
    );
  });

  test("knows nothing of what comes after now", () => {
    const now = 9 * DAY;
    const other = daily(12, (at) => (at >= 9 * 24 ? 500 : 0));
    const window = { now, until: now + DAY };
    expect(forecastFrom(other, yesterday, window).values).toEqual(
      forecastFrom(daily(12), yesterday, window).values,
    );
  });
});

describe("the error on a record", () => {
  const weekMean = forecasterNamed("week-mean");
  const decision = (now: number) => ({ job: jobAt(now), policy: lowestWindow, now });

  test("is none where every day is alike", () => {
    const error = errorOnRecord(daily(60), weekMean, decision(60 * DAY));
    expect(error?.typical).toBeCloseTo(0, 12);
    expect(error?.source).toBe("week-mean decided this job on 53 earlier days");
  });

  test("is not known from fewer than 20 days that can be decided", () => {
    // A week before the first decision and a day after the last.
    expect(errorOnRecord(daily(26), weekMean, decision(26 * DAY))).toBeNull();
    expect(errorOnRecord(daily(27), weekMean, decision(27 * DAY))).not.toBeNull();
  });

  test("does not change with what comes after now", () => {
    const now = 60 * DAY;
    const noise = (at: number) => 50 * Math.sin(at * at);
    const later = daily(70, (at) => noise(at) + (at >= 60 * 24 ? 500 : 0));
    expect(errorOnRecord(later, weekMean, decision(now))).toEqual(
      errorOnRecord(daily(60, noise), weekMean, decision(now)),
    );
  });

  test("a forecaster that is not there gets the nearest name", () => {
    expect(() => forecasterNamed("yesterdays")).toThrow(
      expect.objectContaining({ hint: "Did you mean yesterday?" }),
    );
  });
});

describe("what cards teach", () => {
  const ran = (seconds: number, watts: number) => {
    const origin = { method: "measured", source: "a meter" } as const;
    const { energy: _, ...measures } = exampleCard().measures;
    return exampleCard({
      measures: {
        ...measures,
        duration: exact("s", seconds, origin),
        energy: {
          gross: exact("J", 9 * seconds * watts, origin),
          attributed: figure(
            "J",
            seconds * watts,
            { low: 0.9 * seconds * watts, high: 1.1 * seconds * watts },
            origin,
          ),
        },
      },
    });
  };

  test("duration as quantiles and power from the card's own headline, with both spreads", () => {
    const { runs, duration, power } = learnedJob([ran(100, 100), ran(110, 120), ran(121, 140)]);
    expect(runs).toBe(3);
    // The geometric mean; a log-normal's median.
    expect(durationAt(duration ?? [], 0.5)).toBeCloseTo(110, 9);
    expect(durationAt(duration ?? [], 0.95)).toBeGreaterThan(121);
    expect(power).toMatchObject({ unit: "W", method: "measured" });
    expect(power?.value).toBeCloseTo(120, 9);
    // 5 % and 95 % points of the runs' own bounds, 90 to 126 and 110 to 154 W.
    expect(power?.low).toBeCloseTo(91.8, 9);
    expect(power?.high).toBeCloseTo(151.8, 9);
  });

  test("one run tells power but not how far durations vary; failed runs tell nothing", () => {
    const failed = exampleCard({ status: "failed" });
    expect(learnedJob([ran(100, 100), failed])).toMatchObject({ runs: 1, duration: null });
    expect(learnedJob([failed])).toEqual({ runs: 0, duration: null, power: null });
  });
});

describe("a provider's series as a signal", () => {
  const MINUTE = 60_000;
  const series = (points: readonly IntensityPoint[]) =>
    createSeries({
      ...{ kind: "marginal", basis: "location", scope: "direct", zone: "GB", source: "a service" },
      points,
    });
  const point = (from: number, to: number, value: number): IntensityPoint => ({
    start: from * MINUTE,
    end: to * MINUTE,
    value,
  });

  test("keeps zone, kind and values; the step fits the shortest point", () => {
    const read = signalOfSeries(
      series([point(0, 30, 100), point(30, 45, 200), point(45, 60, 300)]),
    );
    expect(read).toMatchObject({
      zone: "GB",
      kind: "marginal",
      step: 900,
      start: 0,
      issuedAt: 3600,
    });
    expect([...read.values]).toEqual([100, 100, 200, 300]);
  });

  test("a hole is named in a forecast, and cuts a record", () => {
    const holed = series([point(0, 60, 100), point(120, 180, 200), point(180, 240, 300)]);
    expect(() => signalOfSeries(holed)).toThrow(
      "no value from 1970-01-01T01:00Z to 1970-01-01T02:00Z",
    );
    const { signal: newest, notices } = newestStretch(holed);
    expect([...newest.values]).toEqual([200, 300]);
    expect(notices).toEqual([expect.stringContaining("a hole before 1970-01-01T02:00Z")]);
  });
});
