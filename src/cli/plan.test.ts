import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Answer, godwit } from "../../test/cli-session.ts";
import { exampleCard } from "../../test/example-card.ts";
import type { FakeMachine } from "../../test/fake-host.ts";
import { missingGrids, readGrid } from "../../test/grid-carbon.ts";
import { exact } from "../core/index.ts";
import { openLedger } from "../ledger/index.ts";

let cwd = "";
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), "godwit-plan-"));
});
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const HOUR = 3_600_000;
// The fake host's clock stands at 2026-01-01T00:00:00Z, a Thursday, one o'clock in Berlin.
const NOW = Date.UTC(2026, 0, 1);

/** Rows of a file of one's own, an hour each. */
const csv = (values: readonly number[], start = NOW): string =>
  [
    "start,gco2e_per_kwh",
    ...values.map((value, at) => `${new Date(start + at * HOUR).toISOString()},${value}`),
  ].join("\n");

/** Clean from 06:00 to 08:00 UTC. */
const DAY = Array.from({ length: 24 }, (_, at) => (at === 6 || at === 7 ? 100 : 400));

const machine = (files: Record<string, string>): FakeMachine => ({
  files,
  facts: { timeZone: "Europe/Berlin" },
});

const plan = (args: readonly string[], text = csv(DAY), env = {}): Promise<Answer> =>
  godwit(["plan", ...args], { cwd, machine: machine({ "/ci.csv": text }), env });

const JOB = ["--duration", "2h", "--power", "1kW", "--signal", "/ci.csv"];
const asked = [...JOB, "--deadline", "+12h", "--error", "10%"];

describe("godwit plan", () => {
  test("tells when to start, here and in UTC, what that emits, and until when a start is safe", async () => {
    const { code, out, err } = await plan(asked);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("Start at Thu 2026-01-01 07:00 Europe/Berlin (06:00 UTC), in 6 h");
    // 1 kW for 2 h at 100 and at 400 gCO2e/kWh; the saving is off by 10 % of 800 g.
    expect(out).toMatch(/^expected +200 gCO2e \(182 to 220\)$/m);
    expect(out).toMatch(/^started at once +800 gCO2e/m);
    expect(out).toMatch(/^reallocated +600 gCO2e \(520 to 680\)/m);
    expect(out).toMatch(/^latest start +Thu 2026-01-01 11:00 Europe\/Berlin \(10:00 UTC\)/m);
    expect(out).toMatch(/^lowest-window \* +Thu 2026-01-01 07:00 +1 +200 gCO2e +75.0 %$/m);
  });

  test("says plainly when waiting is not worth it", async () => {
    const nearly = DAY.map((value) => (value === 100 ? 390 : value));
    const { out } = await plan(asked, csv(nearly));
    expect(out).toMatch(/^Start now$/m);
    expect(out.replaceAll("\n", " ")).toContain(
      "Waiting is not worth it: lowest-window would save 2.5 %, but savings by such forecasts are off by 10.0 %.",
    );
    expect(out).not.toMatch(/^reallocated/m);
  });

  test("draws the forecast in ASCII where the locale is not UTF-8", async () => {
    expect((await plan(asked)).out).toMatch(/^[ -~\n]+$/);
    expect((await plan(asked, csv(DAY), { LANG: "de_DE.UTF-8" })).out).toContain("██████▁▁████");
  });

  test("an error that nobody stated is assumed, and said to be", async () => {
    const { out } = await plan([...JOB, "--deadline", "+12h"]);
    expect(out.replaceAll(/\s+/g, " ")).toContain(
      "forecast error 8.0 % of emissions; assumed: that of the 7-day mean by hour",
    );
  });

  test("interrupts on request, by the policy that fits", async () => {
    const twice = DAY.map((_, at) => (at === 3 || at === 9 ? 100 : 400));
    const json = async (...more: string[]) =>
      JSON.parse((await plan([...asked, "--json", ...more], csv(twice))).out);
    const free = await json("--interruptible");
    expect(free).toMatchObject({ policy: "wait-awhile-interrupting", verdict: "wait" });
    expect(free.runs).toEqual([
      { start: "2026-01-01T03:00:00.000Z", end: "2026-01-01T04:00:00.000Z" },
      { start: "2026-01-01T09:00:00.000Z", end: "2026-01-01T10:00:00.000Z" },
    ]);
    expect(await json("--restart", "5min")).toMatchObject({ policy: "suspend-resume" });
    const long = await json("--min-run", "2h");
    expect(long.runs).toHaveLength(1);
  });

  test("writes a page of its own", async () => {
    const { err } = await plan([...asked, "--html", "plan.html"]);
    expect(err).toBe("wrote plan.html\n");
    expect(readFileSync(join(cwd, "plan.html"), "utf8")).toMatch(/^<!doctype html>\n<html/);
  });

  test("plans on a service's forecast", async () => {
    const half = (at: number, forecast: number) => ({
      from: `${new Date(NOW + (at * HOUR) / 2).toISOString().slice(0, 16)}Z`,
      to: `${new Date(NOW + ((at + 1) * HOUR) / 2).toISOString().slice(0, 16)}Z`,
      intensity: { forecast },
    });
    const data = Array.from({ length: 96 }, (_, at) => half(at, at >= 20 && at < 30 ? 80 : 250));
    const http = () => ({ status: 200, headers: {}, body: JSON.stringify({ data }) });
    const { out } = await godwit(
      ["plan", ...JOB.slice(0, 4), "--deadline", "+24h", "--zone", "GB", "--from", "uk"],
      { cwd, machine: { http }, env: { XDG_CACHE_HOME: cwd } },
    );
    expect(out).toContain("Start at Thu 2026-01-01 10:00 UTC, in 10 h");
    expect(out.replaceAll(/\s+/g, " ")).toContain("GB, average, location-based; Carbon Intensity");
  });

  test("believes what a file says of itself: a marginal signal is not taken for an average one", async () => {
    const file = {
      ...{ schema: "godwit.signal/1", zone: "GB", basis: "location", step_s: 3600, source: "a" },
      ...{ issued_at: "2026-01-01T00:00:00Z", start: "2026-01-01T00:00:00Z" },
    };
    const files = [
      { ...file, kind: "marginal", values_gco2e_per_kwh: DAY },
      { ...file, kind: "average", values_gco2e_per_kwh: DAY.map((value) => 500 - value) },
    ];
    const { out } = await plan([...asked, "--json"], JSON.stringify(files));
    expect(JSON.parse(out)).toMatchObject({
      saving_is: "avoided (estimate)",
      signal: { kind: "marginal" },
      // The average one of the same file is shown beside it, and disagrees.
      second_views: [{ kind: "average", saving_gco2e: -600 }],
      notices: [expect.stringContaining("emits more")],
    });
  });
});

describe("a job like an earlier one", () => {
  const ran = (id: string, hours: number, status: "complete" | "failed" = "complete") => {
    const origin = { method: "measured", source: "a meter" } as const;
    const { energy: _, ...measures } = exampleCard().measures;
    return exampleCard({
      ...{ id, status },
      measures: {
        ...measures,
        duration: exact("s", hours * 3600, origin),
        energy: { gross: exact("J", hours * 3600 * 500, origin) },
      },
    });
  };
  const keep = async (...cards: Parameters<typeof exampleCard>[0][]) => {
    const ledger = await openLedger(join(cwd, ".godwit"));
    for (const card of cards) await ledger.put(exampleCard(card));
    ledger.close();
  };
  const like = ["--signal", "/ci.csv", "--deadline", "+20h", "--error", "1%", "--json"];

  test("takes its time and power from the ledger, with the spread that the runs had", async () => {
    await keep(ran("a", 2), ran("b", 2.2), ran("c", 1.9), ran("d", 9, "failed"));
    const { out } = await plan([...like, "--like", "train"]);
    const { job, latest_start: latest } = JSON.parse(out);
    expect(job).toMatchObject({ duration_source: "learned from 3 runs of train" });
    expect(job.power_w).toMatchObject({ value: 500, method: "measured" });
    expect(job.planned_duration_s).toBeGreaterThan(2.2 * 3600);
    expect(Date.parse(latest) / 1000).toBeCloseTo(
      NOW / 1000 + 20 * 3600 - job.planned_duration_s,
      2,
    );
  });

  test("follows the sizes that runs told by a tag", async () => {
    const sized = (id: string, hours: number, size: string) => {
      const card = ran(id, hours);
      return { ...card, subject: { ...exampleCard().subject, name: "train", tags: { size } } };
    };
    await keep(sized("a", 1, "1000"), sized("b", 2, "2000"), sized("c", 3, "3000"));
    await keep(ran("d", 9));
    const { out } = await plan([...like, "--like", "train", "--size", "4000"]);
    const { job } = JSON.parse(out);
    expect(job.duration_source).toBe("learned from 3 runs of train, by their sizes");
    expect(job.planned_duration_s).toBeCloseTo(4 * 3600, 3);
    const one = await plan([...like, "--like", "train", "--size", "0"]);
    expect([one.code, one.err]).toEqual([2, expect.stringContaining("--size")]);
    const alone = await plan([...like, "--size", "5", "--power", "1W"]);
    expect([alone.code, alone.err]).toEqual([2, expect.stringContaining("Add --like NAME")]);
  });

  test("runs of one size tell nothing of another", async () => {
    const tags = { size: "1000" };
    const subject = { ...exampleCard().subject, name: "train", tags };
    await keep({ ...ran("a", 1), subject }, { ...ran("b", 1.1), subject });
    const { code, err } = await plan([...like, "--like", "train", "--size", "2000"]);
    expect([code, err]).toEqual([2, expect.stringContaining("--tag size=NUMBER")]);
    const { out } = await plan([...like, "--like", "train", "--size", "1000"]);
    expect(JSON.parse(out).job.duration_source).toContain("2 runs");
  });

  test("one run alone says its power; how long it takes must be said", async () => {
    await keep(ran("a", 2));
    const { code, err } = await plan([...like, "--like", "train"]);
    expect([code, err]).toEqual([2, expect.stringContaining("add --duration")]);
    expect((await plan([...like, "--like", "train", "--duration", "2h"])).code).toBe(0);
  });

  test("a mistyped name gets the nearest, and failed runs teach nothing", async () => {
    await keep(ran("a", 2, "failed"));
    expect((await plan([...like, "--like", "trian"])).err).toContain("Did you mean train?");
    expect((await plan([...like, "--like", "train"])).err).toContain("was completed");
  });
});

describe("what cannot be planned", () => {
  const fault = async (args: readonly string[], text?: string): Promise<string> => {
    const { code, err, out } = await plan(args, text);
    expect([code, out]).toEqual([2, ""]);
    return err;
  };

  test("without a signal it says what to give, with an example", async () => {
    const err = await fault(["--duration", "2h", "--power", "1kW", "--deadline", "+12h"]);
    expect(err).toContain("--zone GB --from uk");
    expect(err).toContain("2026-01-31T12:00Z,312");
    expect(await fault(["--deadline", "+1h", "--zone", "DE"])).toContain("--from electricity-maps");
  });

  test("a deadline before the earliest start, or over", async () => {
    expect(await fault([...JOB, "--deadline", "+2h", "--earliest", "+3h"])).toContain(
      "--deadline 2026-01-01T02:00Z is not after --earliest 2026-01-01T03:00Z",
    );
    expect(await fault([...JOB, "--deadline", "2025-12-31T12:00Z"])).toContain("is over");
  });

  test("a job longer than its window", async () => {
    expect(await fault([...JOB, "--deadline", "+90min"])).toContain(
      "takes 2 h, its window is 1 h 30 min",
    );
  });

  test("a signal that ends before the deadline, or has a hole", async () => {
    expect(await fault([...JOB, "--deadline", "+30h"])).toContain(
      "covers 2026-01-01T00:00 to 2026-01-02T00:00 UTC, the plan needs 2026-01-01T00:00 to 2026-01-02T06:00",
    );
    const holed = `start,end,gco2e_per_kwh
2026-01-01T00:00Z,2026-01-01T01:00Z,300
2026-01-01T02:00Z,2026-01-01T09:00Z,300`;
    expect(await fault([...JOB, "--deadline", "+8h"], holed)).toContain(
      "no value from 2026-01-01T01:00Z to 2026-01-01T02:00Z",
    );
  });

  test("a policy or forecaster that is not there gets the nearest name", async () => {
    expect(await fault([...asked, "--policy", "lowest-windw"])).toContain(
      "Did you mean lowest-window?",
    );
    expect(await fault([...asked, "--forecaster", "weekmean"])).toContain(
      "Did you mean week-mean?",
    );
    expect(await fault([...asked, "--policy", "suspend-resume"])).toContain("runs in one piece");
  });

  test("powers, shares and times that are none", async () => {
    for (const power of ["-300W", "0W", "300", "3 horses"])
      expect(await fault([...asked, "--power", power])).toContain("--power: cannot read");
    expect(await fault([...asked, "--error", "110%"])).toContain("--error: cannot read");
    expect(await fault([...JOB, "--deadline", "friday"])).toContain("--deadline: cannot read");
  });

  test("a deadline that the clock skips", async () => {
    const spring = ["--now", "2026-03-28T12:00Z", "--deadline", "sun 2:30"];
    expect(await fault([...JOB, ...spring])).toContain("never comes in Europe/Berlin");
  });
});

describe.skipIf(missingGrids !== null)("on a German day, 10 June 2021", () => {
  const hours = missingGrids === null ? readGrid("DE") : [];
  const text = csv(
    hours.map(({ lifeCycle }) => lifeCycle),
    hours[0]?.start ?? 0,
  );
  const question = [
    ...["--signal", "/ci.csv", "--duration", "4h", "--power", "1kW"],
    ...["--now", "2021-06-10T14:00Z", "--deadline", "+24h", "--json"],
  ];
  const from = Date.UTC(2021, 5, 10, 14);
  const day = hours.filter(({ start }) => start >= from).slice(0, 24);
  /** Grams of 1 kW over the four hours from each start. */
  const grams = Array.from({ length: 21 }, (_, at) =>
    day.slice(at, at + 4).reduce((sum, { lifeCycle }) => sum + lifeCycle, 0),
  );

  test("the chosen window is the best of all, by brute force, and hindsight is said", async () => {
    const { out } = await plan([...question, "--error", "0"], text);
    const { runs, expected_gco2e: expected, notices } = JSON.parse(out);
    const best = Math.min(...grams);
    expect(Date.parse(runs[0].start)).toBe(from + grams.indexOf(best) * HOUR);
    expect(expected.value).toBeCloseTo(best, 6);
    expect(notices).toEqual([expect.stringContaining("this is hindsight")]);
  });

  test("from the record alone, the error is that of the same job on earlier days", async () => {
    const { out } = await plan([...question, "--forecaster", "week-mean"], text);
    const { forecast_error: error, signal, notices } = JSON.parse(out);
    expect(error.source).toBe("week-mean decided this job on 90 earlier days");
    expect(error.typical).toBeGreaterThan(0.05);
    expect(signal.source).toContain("7-day mean by hour");
    expect(notices).toEqual([]);
  });
});
