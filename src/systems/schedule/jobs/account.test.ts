// Accounts of jobs: by hand, against brute force, and added up with their losses.

import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createWorld, HOUR, hourly, TWO_VALLEYS, type World } from "../../../../test/job-world.ts";
import { figure } from "../../../core/index.ts";
import { type Account, accountOf, type Unaccounted } from "./account.ts";
import type { JobRecord } from "./record.ts";
import { totals } from "./savings.ts";

/** 2 kWh. */
const ENERGY = figure("J", 7.2e6, { low: 6e6, high: 9e6 }, { method: "sampled", source: "card" });

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

async function done(of: Parameters<World["submit"]>[0]): Promise<JobRecord> {
  await world.submit(of);
  await world.run(world.agent());
  return (await world.store.get(of.id)) ?? expect.fail("gone");
}

const account = (of: Account | Unaccounted): Account =>
  "reason" in of ? expect.fail(of.reason) : of;

describe("one job", () => {
  test("by hand: 2 kWh at 100 instead of 400 g/kWh", async () => {
    const job = await done({ id: "a" });
    const it = account(accountOf(job, ENERGY, { signal: TWO_VALLEYS, kind: "recorded" }));
    expect(it.realised.value).toBeCloseTo(200, 9);
    expect(it.counterfactual.value).toBeCloseTo(800, 9);
    expect(it.saving.value).toBeCloseTo(600, 9);
    // The energy's own bounds, 5/6 and 5/4 of it.
    expect(it.saving.low).toBeCloseTo(500, 9);
    expect(it.saving.high).toBeCloseTo(750, 9);
    expect(it.oracleGrams).toBeCloseTo(600, 9);
    expect(it.regretGrams).toBeCloseTo(0, 9);
    expect(it.delayS).toBeCloseTo(10 * HOUR, 6);
    expect(it.plannedShare).toBeCloseTo(0.75, 9);
  });

  test("a forecast that was wrong is a loss, and its regret is told", async () => {
    const job = await done({ id: "a" });
    const came = hourly(Array.from({ length: 48 }, (_, hour) => (hour < 4 ? 100 : 500)));
    const it = account(accountOf(job, ENERGY, { signal: came, kind: "recorded" }));
    expect(it.saving.value).toBeCloseTo(200 - 1000, 9);
    expect(it.share).toBeCloseTo(-4, 9);
    expect(it.oracleGrams).toBeCloseTo(0, 9);
    expect(it.regretGrams).toBeCloseTo(800, 9);
    expect(it.saving.high).toBeLessThan(0);
  });

  test("a trace that does not cover it, or is of another kind, gives no figure", async () => {
    const job = await done({ id: "a" });
    const short = hourly(Array.from({ length: 11 }, () => 100));
    expect(accountOf(job, ENERGY, { signal: short, kind: "recorded" })).toHaveProperty("reason");
    const marginal = { ...TWO_VALLEYS, kind: "marginal" } as const;
    expect(accountOf(job, ENERGY, { signal: marginal, kind: "recorded" })).toHaveProperty("reason");
    const failed = { ...job, state: "failed" } as const;
    expect(accountOf(failed, ENERGY, { signal: TWO_VALLEYS, kind: "recorded" })).toHaveProperty(
      "reason",
    );
  });

  test("by a forecast the interval has the forecast's error besides", async () => {
    const job = await done({ id: "a" });
    const error = { ...job.planning.error, low: -0.1, high: 0.05 };
    const planning = { ...job.planning, error };
    const it = account(
      accountOf({ ...job, planning }, ENERGY, { signal: TWO_VALLEYS, kind: "forecast" }),
    );
    expect(it.saving.low).toBeCloseTo(500 - 80, 9);
    expect(it.saving.high).toBeCloseTo(750 + 40, 9);
    expect(it.trace.kind).toBe("forecast");
  });
});

test("no job does better than the oracle, which is the best of all hourly starts", async () => {
  const one = await done({ id: "one" });
  const stops = await done({ id: "stops", hours: 5, pausing: { kind: "stop" } });
  const intensities = fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 72, maxLength: 72 });
  fc.assert(
    fc.property(intensities, (values) => {
      const signal = hourly(values);
      const of = (job: JobRecord) => account(accountOf(job, ENERGY, { signal, kind: "recorded" }));
      const starts = Array.from(
        { length: 23 },
        (_, at) => (values[at] ?? 0) + (values[at + 1] ?? 0),
      );
      const best = (2 * ((values[0] ?? 0) + (values[1] ?? 0))) / 2 - Math.min(...starts);
      expect(of(one).oracleGrams).toBeCloseTo(best, 6);
      expect(of(one).regretGrams).toBeGreaterThanOrEqual(-1e-6);
      expect(of(stops).regretGrams).toBeGreaterThanOrEqual(-1e-6);
    }),
    { numRuns: 50 },
  );
});

describe("many jobs", () => {
  test("losses are in the sum, and kinds are kept apart", async () => {
    const job = await done({ id: "a" });
    const good = account(accountOf(job, ENERGY, { signal: TWO_VALLEYS, kind: "recorded" }));
    const came = hourly(Array.from({ length: 48 }, (_, hour) => (hour < 4 ? 100 : 500)));
    const bad = account(accountOf(job, ENERGY, { signal: came, kind: "recorded" }));
    const other = { ...good, trace: { ...good.trace, signal: "marginal" } } as const;
    const [average, marginal] = totals([good, bad, other]);
    expect(average).toMatchObject({ signal: "average", jobs: 2 });
    expect(average?.saving.value).toBeCloseTo(600 - 800, 9);
    expect(average?.losses).toMatchObject({ jobs: 1 });
    expect(average?.losses.grams).toBeCloseTo(800, 9);
    expect(average?.oracle.regretGrams).toBeCloseTo(800, 9);
    // Errors in common: the bounds add up.
    expect(average?.saving.low).toBeCloseTo(good.saving.low + bad.saving.low, 9);
    expect(marginal).toMatchObject({ signal: "marginal", jobs: 1 });
  });

  test("nothing is nothing, not zero", () => {
    expect(totals([])).toEqual([]);
  });
});
