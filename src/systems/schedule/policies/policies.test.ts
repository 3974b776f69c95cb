import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { duration, expectedOver, fixedDuration } from "../duration.ts";
import { between, expectedExposure, exposureOf } from "../exposure.ts";
import { FREE_INTERRUPTION, type Interruption } from "../job.ts";
import { signal } from "../signal.ts";
import { scaleByMargin } from "./carbon-scaler.ts";
import { carbonTime } from "./carbon-time.ts";
import { exposureOfRuns } from "./cost.ts";
import { ecovisor } from "./ecovisor.ts";
import { lowestSlot } from "./lowest-slot.ts";
import { lowestWindow } from "./lowest-window.ts";
import { placeShift, timedBy } from "./place-shift.ts";
import type { Policy, Run, Work } from "./policy.ts";
import { runNow } from "./run-now.ts";
import { suspendResumeIn } from "./suspend-resume.ts";
import { waitAwhile, waitAwhileInterrupting } from "./wait-awhile.ts";

const HOUR = 3600;

const forecastOf = (values: readonly number[], step = HOUR) =>
  exposureOf(
    signal({
      zone: "test",
      kind: "average",
      basis: "location",
      issuedAt: 0,
      start: 0,
      step,
      values,
      source: "test",
    }),
  );

/** Work of a known length that may wait for `slackS`. */
const workOf = (earliest: number, lengthS: number, slackS: number): Work => ({
  earliest,
  latestStart: earliest + slackS,
  duration: fixedDuration(lengthS),
  plannedS: lengthS,
  watts: 100,
  interruption: FREE_INTERRUPTION,
});

const intensities = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 10, maxLength: 14 });
const lengthOf = (runs: readonly Run[]) =>
  runs.reduce((sum, { start, end }) => sum + end - start, 0);
const costOf = (runs: readonly Run[], of: ReturnType<typeof forecastOf>) =>
  runs.reduce((sum, { start, end }) => sum + between(of, start, end), 0);

describe("every policy", () => {
  const policies: readonly Policy[] = [
    runNow,
    lowestSlot,
    lowestWindow,
    carbonTime,
    ecovisor,
    waitAwhile,
    waitAwhileInterrupting,
    suspendResumeIn(600),
  ];

  test.each(policies)("$name keeps the window, does all the work, and never overlaps", (policy) => {
    fc.assert(
      fc.property(
        intensities,
        fc.integer({ min: 0, max: 7200 }),
        fc.integer({ min: 600, max: 9000 }),
        fc.integer({ min: 0, max: 14_400 }),
        (values, earliest, lengthS, slackS) => {
          const forecast = forecastOf([...values, 5, 5, 5]);
          const runs = policy.choose(workOf(earliest, lengthS, slackS), forecast);
          expect(runs[0]?.start).toBeGreaterThanOrEqual(earliest);
          expect(runs.at(-1)?.end).toBeLessThanOrEqual(earliest + slackS + lengthS + 1e-6);
          expect(lengthOf(runs)).toBeGreaterThanOrEqual(lengthS - 1e-6);
          for (const [at, run] of runs.entries()) {
            expect(run.end).toBeGreaterThan(run.start);
            expect(run.start).toBeGreaterThan(runs[at - 1]?.end ?? -1);
          }
        },
      ),
    );
  });
});

describe("lowest-window", () => {
  test("finds the least of all starts, tried minute by minute", () => {
    const minutes = fc.integer({ min: 0, max: 300 });
    fc.assert(
      fc.property(intensities, minutes, fc.integer({ min: 1, max: 200 }), minutes, (...drawn) => {
        const [values, earliest, length, slack] = drawn;
        const forecast = forecastOf([...values, 5, 5, 5, 5]);
        const work = workOf(earliest * 60, length * 60, slack * 60);
        const chosen = costOf(lowestWindow.choose(work, forecast), forecast);
        const all = Array.from({ length: slack + 1 }, (_, at) => {
          const start = work.earliest + at * 60;
          return between(forecast, start, start + length * 60);
        });
        expect(chosen).toBeCloseTo(Math.min(...all), 4);
      }),
    );
  });

  test("weighs the whole distribution: a long tail into a dirty hour moves the start", () => {
    // Two clean hours, then a very dirty one; later three middling ones.
    const forecast = forecastOf([9, 1, 1, 90, 4, 4, 4, 4]);
    const known = { ...workOf(0, 2 * HOUR, 5 * HOUR), plannedS: 3 * HOUR };
    expect(lowestWindow.choose(known, forecast)[0]?.start).toBe(HOUR);
    const spread = duration([
      { p: 0.5, seconds: 2 * HOUR },
      { p: 1, seconds: 3 * HOUR },
    ]);
    expect(lowestWindow.choose({ ...known, duration: spread }, forecast)[0]?.start).toBe(4 * HOUR);
  });

  test("the expectation by second integrals equals the one by drawing", () => {
    const quantiles = fc.uniqueArray(fc.integer({ min: 60, max: 20_000 }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(
        intensities,
        quantiles,
        fc.integer({ min: 0, max: 9000 }),
        (values, ends, start) => {
          const forecast = forecastOf(values);
          const sorted = ends.sort((a, b) => a - b);
          const of = duration(
            sorted.map((seconds, at) => ({ p: (at + 1) / (sorted.length + 1), seconds })),
          );
          const drawn = expectedOver(of, (seconds) => between(forecast, start, start + seconds));
          const summed = expectedExposure(forecast, start, of);
          expect(Math.abs(summed / drawn - 1)).toBeLessThan(0.005);
        },
      ),
    );
  });

  test("on a flat signal it does not wait", () => {
    const forecast = forecastOf(Array.from({ length: 40 }, () => 0.1));
    expect(lowestWindow.choose(workOf(100, 5000, 90_000), forecast)[0]?.start).toBe(100);
  });
});

describe("lowest-slot and carbon-time", () => {
  test("lowest-slot starts in the cleanest step, and at once when that is now", () => {
    const forecast = forecastOf([5, 3, 1, 1, 9]);
    expect(lowestSlot.choose(workOf(100, 60, 3 * HOUR), forecast)[0]?.start).toBe(2 * HOUR);
    expect(lowestSlot.choose(workOf(2 * HOUR + 5, 60, HOUR), forecast)[0]?.start).toBe(
      2 * HOUR + 5,
    );
  });

  test("carbon-time takes the best saving for each second, by trying every start", () => {
    fc.assert(
      fc.property(intensities, fc.integer({ min: 1, max: 4 }), (values, hours) => {
        const forecast = forecastOf([...values, 5, 5, 5, 5]);
        const work = { ...workOf(0, hours * HOUR, 9 * HOUR), pitchS: HOUR };
        const now = between(forecast, 0, hours * HOUR);
        const rates = Array.from({ length: 10 }, (_, at) => {
          const saved = now - between(forecast, at * HOUR, (at + hours) * HOUR);
          return saved / ((at + hours) * HOUR);
        });
        const start = carbonTime.choose(work, forecast)[0]?.start ?? NaN;
        expect(rates[start / HOUR]).toBeCloseTo(Math.max(...rates), 9);
      }),
    );
  });

  test("carbon-time never waits for something dirtier than now", () => {
    const rising = forecastOf([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(carbonTime.choose(workOf(0, HOUR, 5 * HOUR), rising)[0]?.start).toBe(0);
  });
});

describe("ecovisor", () => {
  test("waits above the 30th percentile of the day, and no longer than allowed", () => {
    const day = Array.from({ length: 24 }, (_, hour) => (hour >= 4 && hour < 12 ? 1 : 9));
    const forecast = forecastOf([...day, 9, 9]);
    // The threshold is 1 itself, which nothing is below: it waits its six hours and runs.
    expect(ecovisor.choose(workOf(0, HOUR, 6 * HOUR), forecast)).toEqual([
      { start: 6 * HOUR, end: 7 * HOUR },
    ]);
    const cleaner = forecastOf([...day.map((value, at) => (at === 5 ? 0.5 : value)), 9, 9]);
    expect(ecovisor.choose(workOf(0, 2 * HOUR, 6 * HOUR), cleaner)).toEqual([
      { start: 5 * HOUR, end: 6 * HOUR },
      { start: 7 * HOUR, end: 8 * HOUR },
    ]);
  });
});

describe("suspend and resume", () => {
  /** Least exposure over every pattern of slots, each run charged as the policy charges it. */
  function cheapestPattern(values: readonly number[], needed: number, of: Interruption): number {
    const [checkpoint, restart] = [of.checkpointS / HOUR, of.restartS / HOUR];
    const shortest = Math.min(needed, Math.max(1, of.minimumRunS / HOUR));
    const spend = (from: number, to: number) =>
      values.slice(from, to).reduce((sum, value) => sum + value * HOUR, 0);
    const search = (slot: number, left: number): number => {
      if (left === 0) return 0;
      let best = Infinity;
      const coming = left === needed ? 0 : restart;
      for (let from = slot; from < values.length; from++) {
        for (let run = shortest; run <= left; run++) {
          const last = run === left;
          const end = from + coming + run + (last ? 0 : checkpoint);
          if (end > values.length) continue;
          const resume = coming || left < needed ? (of.restartJ / 100) * (values[from] ?? 0) : 0;
          const stop = last ? 0 : (of.checkpointJ / 100) * (values[from + coming + run] ?? 0);
          best = Math.min(best, spend(from, end) + resume + stop + search(end, left - run));
        }
      }
      return best;
    };
    return search(0, needed);
  }

  test("is optimal with minimum run, checkpoint and restart costs, against every pattern", () => {
    const hours = fc.integer({ min: 0, max: 2 });
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 6, maxLength: 9 }),
        fc.integer({ min: 1, max: 4 }),
        fc.record({ minimumRun: hours, checkpoint: hours, restart: hours }),
        fc.integer({ min: 0, max: 400_000 }),
        (values, needed, { minimumRun, checkpoint, restart }, joules) => {
          const interruption: Interruption = {
            minimumRunS: minimumRun * HOUR,
            checkpointS: checkpoint * HOUR,
            checkpointJ: joules,
            restartS: restart * HOUR,
            restartJ: joules / 2,
          };
          const forecast = forecastOf(values);
          const slack = (values.length - needed) * HOUR;
          const work = { ...workOf(0, needed * HOUR, slack), interruption };
          const runs = suspendResumeIn(HOUR).choose(work, forecast);
          const cost = exposureOfRuns(work, runs, forecast);
          expect(cost).toBeCloseTo(cheapestPattern(values, needed, interruption), 3);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("without costs it equals the cleanest slots", () => {
    fc.assert(
      fc.property(intensities, fc.integer({ min: 1, max: 8 }), (values, hours) => {
        const forecast = forecastOf(values);
        const work = workOf(0, hours * HOUR, (values.length - hours) * HOUR);
        const exact = costOf(suspendResumeIn(HOUR).choose(work, forecast), forecast);
        const cleanest = costOf(waitAwhileInterrupting.choose(work, forecast), forecast);
        const sorted = [...values].sort((a, b) => a - b).slice(0, hours);
        expect(cleanest).toBeCloseTo(HOUR * sorted.reduce((sum, value) => sum + value, 0), 6);
        expect(exact).toBeCloseTo(cleanest, 6);
      }),
    );
  });

  test("a restart that costs more than it saves keeps the job in one piece", () => {
    const forecast = forecastOf([1, 9, 1, 9, 1, 9]);
    const dear = { ...FREE_INTERRUPTION, restartJ: 100 * HOUR * 100 };
    const work = { ...workOf(0, 2 * HOUR, 4 * HOUR), interruption: dear };
    expect(suspendResumeIn(HOUR).choose(work, forecast)).toHaveLength(1);
  });
});

describe("scaling by the margin", () => {
  const curve = [1, 1.8, 2.4];

  test("is no worse than every schedule on whole slots, and does exactly the work", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 6 }),
        fc.integer({ min: 1, max: 5 }),
        (values, hours) => {
          const length = Math.min(hours, values.length);
          const work = workOf(0, length * HOUR, (values.length - length) * HOUR);
          const runs = scaleByMargin(work, curve, forecastOf(values));
          const done = runs.reduce(
            (sum, { start, end, nodes }) => sum + (end - start) * (curve[nodes - 1] ?? NaN),
            0,
          );
          expect(done).toBeCloseTo(length * HOUR, 3);
          const cost = runs.reduce(
            (sum, run) => sum + run.nodes * between(forecastOf(values), run.start, run.end),
            0,
          );
          expect(cost / HOUR).toBeLessThanOrEqual(exhaustive(values, length) + 1e-9);
        },
      ),
    );
  });

  test("equals the exhaustive optimum where the work fits whole slots", () => {
    // 1.8 units of work: two nodes in the clean hour, nothing elsewhere.
    const forecast = forecastOf([5, 1, 5]);
    const runs = scaleByMargin(workOf(0, 1.8 * HOUR, 1.2 * HOUR), curve, forecast);
    expect(runs).toEqual([{ start: HOUR, end: 2 * HOUR, nodes: 2 }]);
  });

  test("a curve that gains by scaling is refused: the greedy choice would not be optimal", () => {
    const work = workOf(0, HOUR, HOUR);
    expect(() => scaleByMargin(work, [1, 1.2, 2], forecastOf([1, 2]))).toThrow(/not concave/);
  });

  function exhaustive(values: readonly number[], work: number): number {
    const [value, ...rest] = values;
    if (work <= 1e-9) return 0;
    if (value === undefined) return Infinity;
    return Math.min(
      exhaustive(rest, work),
      ...curve.map((done, at) => (at + 1) * value + exhaustive(rest, work - done)),
    );
  }
});

describe("place shift", () => {
  const place = (values: readonly number[], bytes: number, startLatencyS = 0) => ({
    placement: { zone: String(values[0]), bytes, joulesPerByte: 1, startLatencyS },
    forecast: forecastOf(values),
    work: workOf(startLatencyS, HOUR, 2 * HOUR),
  });

  test("moves only when the data's energy is worth it", () => {
    const home = place([500, 500, 500, 500], 0);
    // 100 W for an hour: 50 g at home, 10 g away; half the bytes' joules at each end.
    const bytes = 400_000;
    const near = placeShift([home, place([100, 100, 100, 100], bytes)], timedBy(lowestWindow));
    expect(near.place.placement.zone).toBe("100");
    expect(near.runGrams).toBeCloseTo(10, 9);
    expect(near.transferGrams).toBeCloseTo((bytes / 3.6e6) * ((500 + 100) / 2), 9);
    const far = placeShift([home, place([100, 100, 100, 100], 600_000)], timedBy(lowestWindow));
    expect(far.place).toBe(home);
  });

  test("home wins a tie", () => {
    const home = place([7, 7, 7, 7], 0);
    expect(placeShift([home, place([7, 7, 7, 7], 0)], timedBy(lowestWindow)).place).toBe(home);
  });
});
