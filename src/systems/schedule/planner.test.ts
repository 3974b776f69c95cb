import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { figure, withError } from "../../core/index.ts";
import { duration, fixedDuration } from "./duration.ts";
import { between, exposureOf } from "./exposure.ts";
import { declaredError, type ForecastError, PERFECT } from "./forecast-error.ts";
import { FREE_INTERRUPTION, type Job } from "./job.ts";
import { savingVerb } from "./plan.ts";
import { type PlanOptions, plan } from "./planner.ts";
import { lowestWindow } from "./policies/lowest-window.ts";
import { runNow } from "./policies/run-now.ts";
import { suspendResumeIn } from "./policies/suspend-resume.ts";
import { waitAwhileInterrupting } from "./policies/wait-awhile.ts";
import { signal } from "./signal.ts";

const HOUR = 3600;

const forecast = (values: readonly number[], zone = "DE", start = 0) =>
  signal({
    ...{ zone, kind: "average", basis: "location", issuedAt: start, start, step: HOUR },
    values,
    source: `${zone} forecast`,
  });

/** 100 W for two hours, submitted at 0, to be done by 10 h. */
const job = (changes: Partial<Job> = {}): Job => ({
  id: "train",
  submittedAt: 0,
  earliest: 0,
  deadline: 10 * HOUR,
  duration: fixedDuration(2 * HOUR),
  power: withError("W", 100, 0.05, { method: "measured", source: "card" }),
  interruptible: null,
  scale: null,
  zones: [{ zone: "DE", bytes: 0, joulesPerByte: 0, startLatencyS: 0 }],
  pinned: false,
  ...changes,
});

const options = (changes: Partial<PlanOptions> = {}): PlanOptions => ({
  now: 0,
  policy: lowestWindow,
  error: PERFECT,
  threshold: 0,
  ...changes,
});

const DAY = [400, 400, 400, 200, 100, 100, 300, 400, 400, 400, 400, 400];

const planned = (of: Job, changes: Partial<PlanOptions> = {}, values = DAY) => {
  const [first] = plan([of], [forecast(values)], options(changes)).jobs;
  if (first === undefined) throw new Error("one job was given");
  return first;
};

describe("a plan", () => {
  test("says when, what it emits, what it would have, and that emissions are only reallocated", () => {
    const { runs, expected, counterfactual, saving, delayS, reasons } = planned(job());
    expect(runs).toEqual([{ start: 4 * HOUR, end: 6 * HOUR, nodes: 1 }]);
    // 0.1 kW x 2 h x 100 and 400 gCO2e/kWh.
    expect(expected.value).toBeCloseTo(20, 9);
    expect(counterfactual).toMatchObject({ zone: "DE", start: 0 });
    expect(counterfactual.emissions.value).toBeCloseTo(80, 9);
    expect(saving.value).toBeCloseTo(60, 9);
    expect(delayS).toBe(4 * HOUR);
    expect(reasons).toEqual([
      { kind: "policy", text: "lowest-window: 75.0 % less than started when submitted" },
    ]);
    expect(savingVerb("average")).toBe("reallocated");
    expect(savingVerb("marginal")).toBe("avoided (estimate)");
  });

  test("carries the intervals of power, duration and forecast", () => {
    const spread = duration([
      { p: 0.05, seconds: HOUR },
      { p: 0.95, seconds: 2 * HOUR },
    ]);
    const error = { ...declaredError(0.1), typical: 0 };
    const { expected, saving } = planned(job({ duration: spread }), { error });
    // Each side is at least as wide as each cause: power 8.6 %, duration a third, forecast 10 %.
    expect(expected.high / expected.value).toBeGreaterThan(2 / 1.5);
    expect(expected.value / expected.low).toBeGreaterThan(1.5);
    expect(saving.low).toBeLessThan(saving.value);
    expect(saving.source).toContain("declared");
  });

  test("never starts after the latest start, whatever the forecast promises", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 24, maxLength: 24 }),
        fc.integer({ min: 600, max: 20_000 }),
        fc.integer({ min: 0, max: 30_000 }),
        fc.integer({ min: 0, max: 3000 }),
        (values, seconds, slack, startLatencyS) => {
          const spread = duration([
            { p: 0.5, seconds: seconds / 2 },
            { p: 0.95, seconds },
          ]);
          const deadline = startLatencyS + seconds + slack;
          const of = job({
            deadline,
            duration: spread,
            zones: [{ zone: "DE", bytes: 0, joulesPerByte: 0, startLatencyS }],
          });
          const { runs, latestStart } = planned(of, {}, values);
          expect(latestStart).toBe(deadline - seconds - startLatencyS);
          expect(runs[0]?.start).toBeLessThanOrEqual(latestStart + startLatencyS + 1e-6);
          expect(runs.at(-1)?.end).toBeLessThanOrEqual(deadline + 1e-6);
        },
      ),
    );
  });

  test("with perfect foresight never emits more than starting at once, and is what it says", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 12, maxLength: 12 }),
        (values) => {
          const { runs, saving, expected } = planned(job(), {}, values);
          const real = exposureOf(forecast(values));
          const [run] = runs;
          expect(saving.value).toBeGreaterThanOrEqual(-1e-9);
          expect(expected.value).toBeCloseTo(
            between(real, run?.start ?? 0, run?.end ?? 0) / 36_000,
            6,
          );
        },
      ),
    );
  });
});

describe("guards", () => {
  test("a pinned job never moves", () => {
    const { runs, reasons, saving } = planned(job({ pinned: true, earliest: HOUR }));
    expect(runs[0]?.start).toBe(HOUR);
    expect(reasons[0]?.kind).toBe("pinned");
    expect(saving.value).toBeCloseTo(0, 9);
  });

  test("a job that can no longer be in time starts at once, and says so", () => {
    const { runs, reasons } = planned(job({ deadline: 1.5 * HOUR }));
    expect(runs[0]?.start).toBe(0);
    expect(reasons[0]).toMatchObject({ kind: "deadline" });
  });

  test("a saving within the forecast's own error is not waited for", () => {
    const slightly = DAY.map((value) => 390 + value / 40);
    const share = 1 - (390 + 2.5) / 400;
    const error = (typical: number): ForecastError => ({ ...PERFECT, typical });
    const waits = planned(job(), { error: error(share - 0.001) }, slightly);
    expect(waits.runs[0]?.start).toBe(4 * HOUR);
    const starts = planned(job(), { error: error(share + 0.001) }, slightly);
    expect(starts.runs[0]?.start).toBe(0);
    expect(starts.reasons[0]?.text).toContain("the forecast's own error");
    const limit = planned(job(), { threshold: 0.5 }, slightly);
    expect(limit.reasons[0]?.text).toContain("below 50.0 %, the threshold");
  });

  test("a job that runs in one piece is not cut by a policy that would", () => {
    const { runs, reasons } = planned(job(), { policy: waitAwhileInterrupting });
    expect(runs).toHaveLength(1);
    expect(reasons[0]?.text).toContain("in one piece");
  });

  test("a policy that takes stopping as free is refused for a job that pays for it", () => {
    const pays = job({ interruptible: { ...FREE_INTERRUPTION, restartS: 60 } });
    expect(() => planned(pays, { policy: waitAwhileInterrupting })).toThrow(/pays for stopping/);
    expect(planned(pays, { policy: suspendResumeIn(600) }).runs.length).toBeGreaterThan(0);
  });

  test("a forecast that is too short is an error, not a guess", () => {
    expect(() => planned(job(), {}, DAY.slice(0, 8))).toThrow(/the job needs/);
    const tokyo = job({ zones: [{ zone: "JP-TK", bytes: 0, joulesPerByte: 0, startLatencyS: 0 }] });
    expect(() => planned(tokyo)).toThrow(/no forecast of JP-TK/);
  });
});

describe("replanning", () => {
  test("a newer forecast moves the start, and the counterfactual of the first plan stands", () => {
    const first = plan([job()], [forecast(DAY)], options());
    const newer = forecast([400, 400, 400, 400, 90, 90, 400, 400, 400], "DE", 2 * HOUR);
    const again = plan([job()], [newer], options({ now: 2 * HOUR, previous: first }));
    expect(again.jobs[0]?.runs[0]?.start).toBe(6 * HOUR);
    expect(again.jobs[0]?.counterfactual).toEqual(first.jobs[0]?.counterfactual);
  });

  test("nothing is planned before now", () => {
    const late = plan([job()], [forecast(DAY)], options({ now: 5 * HOUR, policy: runNow }));
    expect(late.jobs[0]?.runs[0]?.start).toBe(5 * HOUR);
    expect(late.jobs[0]?.counterfactual.start).toBe(0);
  });
});

describe("places, scale and second signals", () => {
  const home = { zone: "DE", bytes: 0, joulesPerByte: 0, startLatencyS: 0 };
  const north = { zone: "NO", bytes: 1e6, joulesPerByte: 0.01, startLatencyS: 600 };

  test("a job moves where it is cleaner, pays for its data, and is counted against home", () => {
    const zones = [
      forecast(DAY),
      forecast(
        DAY.map(() => 30),
        "NO",
      ),
    ] as const;
    const [moved] = plan([job({ zones: [home, north] })], zones, options()).jobs;
    expect(moved?.zone).toBe("NO");
    expect(moved?.runs[0]?.start).toBe(600);
    const transfer = (1e6 * 0.01 * ((400 + 30) / 2)) / 3.6e6;
    expect(moved?.expected.value).toBeCloseTo(6 + transfer, 6);
    expect(moved?.counterfactual.zone).toBe("DE");
  });

  test("a zone without a forecast is named, not dropped in silence", () => {
    const [stays] = plan([job({ zones: [home, north] })], [forecast(DAY)], options()).jobs;
    expect(stays?.reasons[0]).toEqual({
      kind: "zone",
      text: "NO has no forecast and was not considered",
    });
  });

  test("an elastic job uses more nodes in the clean hours", () => {
    const { runs, expected } = planned(job({ scale: [1, 2] }));
    expect(runs).toEqual([{ start: 4 * HOUR, end: 5 * HOUR, nodes: 2 }]);
    expect(expected.value).toBeCloseTo(20, 9);
  });

  test("signals of unlike kind are refused as one plan, and compared beside it", () => {
    const marginal = signal({
      ...forecast(DAY.map((value) => 500 - value)),
      kind: "marginal",
    });
    const { jobs, warnings, kind } = plan(
      [job()],
      [forecast(DAY)],
      options({ beside: [marginal] }),
    );
    expect(kind).toBe("average");
    expect(jobs[0]?.secondViews).toEqual([
      { kind: "marginal", basis: "location", savedGrams: expect.closeTo(-60, 9) },
    ]);
    expect(warnings).toEqual([
      "train: by the marginal location-based signal the plan emits more, by its own it saves",
    ]);
    // @ts-expect-error one plan has one kind
    expect(() => plan([job()], [forecast(DAY), marginal], options())).toThrow(/cannot be mixed/);
  });

  test("a job that contradicts itself is named", () => {
    const power = figure("W", 0, { low: 0, high: 0 }, { method: "declared", source: "test" });
    expect(() => planned(job({ power }))).toThrow(/job train: its power is not known/);
    expect(() => planned(job({ earliest: -1 }))).toThrow(/before it was submitted/);
    expect(() => planned(job({ zones: [home, home] }))).toThrow(/a zone is listed twice/);
  });
});
