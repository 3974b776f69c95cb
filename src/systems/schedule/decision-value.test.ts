import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { missing } from "../../../test/replay-files.ts";
import { dataFile } from "../../../test/shared-data.ts";
import { type DecisionValue, decisionValue } from "./decision-value.ts";
import { fixedDuration } from "./duration.ts";
import { type Forecaster, perfect, weekMean, yesterday } from "./forecast.ts";
import { backtest, errorOf } from "./forecast-error.ts";
import { lowestWindow } from "./policies/lowest-window.ts";
import { signalFromCsv } from "./read-signal.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
const JULY = Date.UTC(2021, 6, 1) / 1000;
/** 1 July to 27 December 2021, each at 00:00 UTC. */
const origins = Array.from({ length: 180 }, (_, day) => JULY + day * DAY);

const record = (zone: string) =>
  signalFromCsv(
    gunzipSync(readFileSync(dataFile(`grid-carbon/${zone}.csv.gz`))).toString(),
    { zone, kind: "average", basis: "location", source: "EIA and ENTSO-E, lifecycle factors" },
    { time: "utc", value: "ci_lifecycle", step: HOUR },
  );

// The expected table was computed before this code existed, by another program on the same files:
// 4-hour job, start chosen at 00:00 UTC within 24 h. Percent saved by oracle, yesterday and 7-day mean,
// and the percent of the oracle's saving that the latter two catch.
describe.skipIf(missing("grid-carbon"))("what built-in forecasters are worth", () => {
  test.each([
    ["CISO", [29.5, 28.5, 28.5], [97, 97]],
    ["PJM", [5.3, 3.9, 4.5], [73, 85]],
    ["ERCO", [11.8, 5.7, 7.4], [48, 62]],
    ["DE", [17.8, 9.5, 12.9], [53, 72]],
    ["PL", [6.9, 3.2, 3.9], [46, 57]],
    ["SE", [7.4, 3.8, 4.4], [51, 59]],
    ["NL", [8.6, 1.7, 1.7], [20, 19]],
  ] as const)("%s", (zone, [oracle, byYesterday, byWeek], [first, second]) => {
    const signal = record(zone);
    const job = { lengthS: 4 * HOUR, windowS: DAY, origins };
    const value = (forecaster: Forecaster): DecisionValue => decisionValue(signal, forecaster, job);
    const within = (ours: number, printed: number, rounding: number) =>
      expect(Math.abs(100 * ours - printed)).toBeLessThanOrEqual(rounding);
    within(value(perfect).oracle, oracle, 0.05);
    within(value(yesterday).forecaster, byYesterday, 0.05);
    within(value(weekMean).forecaster, byWeek, 0.05);
    within(value(yesterday).caught, first, 0.5);
    within(value(weekMean).caught, second, 0.5);
    expect(value(perfect).caught).toBe(1);
  });

  test("the error of a back test covers nine in ten savings, and is biased as a winner's curse is", () => {
    const outcomes = backtest(record("DE"), {
      forecaster: yesterday,
      policy: lowestWindow,
      workAt: (earliest) => ({
        ...{ earliest, latestStart: earliest + 20 * HOUR, plannedS: 4 * HOUR, watts: 1 },
        duration: fixedDuration(4 * HOUR),
        interruption: null,
      }),
      origins,
    });
    const error = errorOf(outcomes, "test");
    const errors = outcomes.map(({ atOnce, chosen }) => {
      const saved = (how: "expected" | "realised") => 1 - chosen[how] / atOnce[how];
      return saved("realised") - saved("expected");
    });
    const inside = errors.filter((one) => one >= error.low && one <= error.high).length;
    expect(inside / errors.length).toBeCloseTo(0.9, 1);
    expect(errors.reduce((sum, one) => sum + one, 0)).toBeLessThan(0);
    expect(() => errorOf(outcomes.slice(0, 19), "test")).toThrow(
      /19 forecasts do not show an error/,
    );
  });
});
