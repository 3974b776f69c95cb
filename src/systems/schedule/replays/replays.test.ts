// The published studies, replayed whole. Tolerances and what they rest on: docs/methods/replays.md.

import { describe, expect, test } from "vitest";
import { missing, replayFiles } from "../../../../test/replay-files.ts";
import { potentialOf } from "../../tune/potential.ts";
import { costsOf, eurosys24For, globalSavings, readZones } from "./eurosys24.ts";
import { gaia } from "./gaia.ts";
import { letsWaitAwhile, nextWorkday, semiWeekly } from "./lets-wait-awhile.ts";
import { agrees, type Check, type Replay, type ReplayReport } from "./replay.ts";
import { GPUS, readWorkloads, zeus } from "./zeus.ts";

const TIMEOUT = 60_000;

const reports = new Map<Replay, Promise<ReplayReport>>();

/** The report of a study, computed once. */
function run(replay: Replay): Promise<ReplayReport> {
  const report = reports.get(replay) ?? replay.run(replayFiles);
  reports.set(replay, report);
  return report;
}

/** Checks that differ from what was published. */
const differing = ({ checks }: ReplayReport): readonly string[] =>
  checks
    .filter((check) => agrees(check) === false)
    .map(({ name, ours, published }) => `${name}: ${ours}, published ${published}`);

const ours = ({ checks }: ReplayReport, name: string): number =>
  checks.find((check) => check.name === name)?.ours ?? Number.NaN;

// Sukprasert et al., EuroSys 2024, arXiv 2306.06502, and the result tables of its repository.
describe.skipIf(missing("scheduling/eurosys24"))("EuroSys 2024", { timeout: TIMEOUT }, () => {
  test("every cell of every staged table is reproduced with difference 0", async () => {
    // Means of three lengths; all seven are printed by `godwit replay eurosys24`.
    const report = await run(eurosys24For([1, 24, 168]));
    expect(differing(report)).toEqual([]);
    expect(
      report.checks.filter(({ tolerance, published }) => tolerance === 0 && published === 0),
    ).toHaveLength(30);
    expect(report.notes[0]).toContain("785682 published cells");
  });

  test("a 24 h job with a day of slack saves 3.6 % by deferring and 5.0 % more by interrupting", async () => {
    const { defer, interrupt } = globalSavings(await readZones(replayFiles), 24, 24);
    expect(defer).toBeCloseTo(3.6093868453221147, 9);
    expect(interrupt).toBeCloseTo(4.999563388004218, 9);
  });

  test("more slack never costs more, and interrupting never costs more than deferring", async () => {
    const zones = await readZones(replayFiles);
    expect(zones).toHaveLength(123);
    for (const zone of zones.slice(0, 12)) {
      const [day, week] = [costsOf(zone, 24, 24), costsOf(zone, 24, 168)];
      for (let start = 0; start < day.deferred.length; start++) {
        expect(week.deferred[start]).toBeLessThanOrEqual(day.deferred[start] ?? Number.NaN);
        expect(day.interrupted[start]).toBeLessThanOrEqual(day.deferred[start] ?? Number.NaN);
        expect(day.deferred[start]).toBeLessThanOrEqual(day.atOnce[start] ?? Number.NaN);
      }
    }
  });
});

// Hanafy et al., ASPLOS 2024, figure 8: values printed by the notebook of its repository.
describe.skipIf(missing("scheduling/gaia", "scheduling/eurosys24"))(
  "GAIA, figure 8",
  { timeout: TIMEOUT },
  () => {
    test("five bars equal the printed ones to six digits, the sixth equals the authors' code", async () => {
      const report = await run(gaia);
      expect(differing(report)).toEqual([]);
      expect(ours(report, "lowest-slot")).toBeCloseTo(0.780037, 6);
      expect(ours(report, "lowest-window")).toBeCloseTo(0.683704, 6);
      expect(ours(report, "carbon-time")).toBeCloseTo(0.724888, 6);
      expect(ours(report, "ecovisor")).toBeCloseTo(0.639105, 6);
      const sixth = report.checks.find(({ name }) => name === "wait-awhile-interrupting");
      expect(sixth?.ours).toBeCloseTo(0.546196, 6);
      expect(sixth?.published).toBe(0.607509);
      expect(sixth?.instead?.why).toContain("released code");
    });
  },
);

// Wiesner et al., Middleware 2021: outputs of evaluation.ipynb, bars of img/ml_results.pdf.
describe.skipIf(missing("scheduling/lets-wait-awhile", "grid-carbon"))(
  "Let's Wait Awhile",
  { timeout: TIMEOUT },
  () => {
    test("next workday within 0.11 points of the print, bars within 0.15", {
      timeout: TIMEOUT,
    }, async () => {
      const report = await run(letsWaitAwhile);
      expect(differing(report)).toEqual([]);
      const near = (name: string, printed: number) =>
        expect(Math.abs(Number(ours(report, name).toFixed(2)) - printed)).toBeLessThanOrEqual(
          0.1101,
        );
      near("DE, next workday, in one piece", 5.91);
      near("DE, next workday, interrupting", 7.93);
      near("GB, next workday, in one piece", 6.56);
      near("GB, next workday, interrupting", 9.03);
      near("DE, semi-weekly, in one piece", 14.1);
      near("DE, semi-weekly, interrupting", 18.0);
    });

    test("dividing by 365 nights, one of them skipped, adds 0.27 points", async () => {
      const { checks } = await run(letsWaitAwhile);
      for (const country of ["DE", "GB"]) {
        const [honest, printed] = checks.filter(({ name }) =>
          name.startsWith(`${country}, nightly`),
        );
        expect((printed?.ours ?? 0) - (honest?.ours ?? 0)).toBeCloseTo(0.27, 1);
      }
    });
  },
);

describe("the rules of Let's Wait Awhile", () => {
  const at = (text: string): number => Date.parse(`${text}:00Z`) / 1000;
  // 6 January 2020 is a Monday.
  test.each([
    ["2020-01-06T08:30", "2020-01-06T09:00"],
    ["2020-01-06T09:00", "2020-01-06T09:00"],
    ["2020-01-06T17:00", "2020-01-06T17:00"],
    ["2020-01-06T17:30", "2020-01-07T09:00"],
    ["2020-01-11T12:00", "2020-01-13T09:00"],
    ["2020-01-12T03:00", "2020-01-13T09:00"],
    ["2020-01-10T20:00", "2020-01-11T09:00"],
  ])("what would end %s may end by %s: the next working morning", (end, limit) => {
    expect(nextWorkday(at(end))).toBe(at(limit));
  });

  test.each([
    ["2020-01-06T09:00", "2020-01-06T09:00"],
    ["2020-01-06T09:30", "2020-01-09T09:00"],
    ["2020-01-09T09:00", "2020-01-09T09:00"],
    ["2020-01-09T09:30", "2020-01-13T09:00"],
    ["2020-01-12T23:30", "2020-01-13T09:00"],
  ])("what would end %s may end by %s: the next Monday or Thursday", (end, limit) => {
    expect(semiWeekly(at(end))).toBe(at(limit));
  });
});

// You, Chung, Chowdhury, NSDI 2023: bars of eta-potential-all-v100-light.svg; range of the abstract.
describe.skipIf(missing("scheduling/zeus"))("Zeus", { timeout: TIMEOUT }, () => {
  test("the twelve V100 bars within 0.1 point, and the tuner inside the published range", async () => {
    const report = await run(zeus);
    expect(differing(report)).toEqual([]);
    const bars = report.checks.filter(({ published }) => typeof published === "number");
    expect(bars).toHaveLength(12);
    const ranges = report.checks.filter(({ published }) => Array.isArray(published));
    expect(ranges).toHaveLength(6);
    for (const [name, share] of Object.entries({
      "BERT (QA)": 11.1,
      "BERT (SA)": 3.4,
      NeuMF: 66.6,
    }))
      expect(ours(report, `V100 ${name}: no slowdown`)).toBeCloseTo(share, 1);
  });

  test("without slowdown a power limit alone gives nothing, but for NeuMF", async () => {
    for (const gpu of GPUS) {
      const workloads = await readWorkloads(replayFiles, gpu);
      for (const workload of workloads.filter(({ name }) => name !== "NeuMF"))
        expect(potentialOf(workload).noSlowdownLimitOnly.energy).toBe(0);
    }
  });

  test("regret stays below 10 % of the oracle's cost, exploration included", async () => {
    const { checks } = await run(zeus);
    for (const { ours: regret } of checks.filter(({ name }) => name.endsWith("tuner, regret"))) {
      expect(regret).toBeGreaterThan(0);
      expect(regret).toBeLessThan(10);
    }
  });
});

describe("agreement", () => {
  const check: Check = { name: "x", unit: "%", ours: 1, published: 1, tolerance: 0 };
  test("is exact at tolerance 0, takes ranges, and holds against the code where print is wrong", () => {
    expect(agrees(check)).toBe(true);
    expect(agrees({ ...check, ours: 1 + 1e-12 })).toBe(false);
    expect(agrees({ ...check, ours: 1.1, tolerance: 0.1 })).toBe(true);
    expect(agrees({ ...check, published: [0, 0.5] })).toBe(false);
    expect(agrees({ ...check, published: null })).toBeNull();
    expect(agrees({ ...check, published: 2, instead: { value: 1, why: "" } })).toBe(true);
    expect(agrees({ ...check, ours: Number.NaN, tolerance: 1 })).toBe(false);
  });
});
