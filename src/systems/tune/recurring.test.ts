// Profiling as it runs, and learning from history.

import { describe, expect, test } from "vitest";
import { costOf } from "./cost.ts";
import { chosenLimit, marked, newProfiler, type Profiler } from "./profiler.ts";
import { nextRun, settingsSeen, type TunedRun } from "./recurring.ts";

describe("the just-in-time profile", () => {
  /** A device that makes a step in `stepS` at a limit and draws `watts`. */
  const device: Readonly<Record<number, { stepS: number; watts: number }>> = {
    300: { stepS: 1, watts: 290 },
    200: { stepS: 1.1, watts: 190 },
    100: { stepS: 3, watts: 95 },
  };

  function profile(slice: { marks: number; seconds: number }): {
    profiler: Profiler;
    marks: number;
  } {
    let profiler = newProfiler([100, 300, 200]);
    let [seconds, joules, marks] = [0, 0, 0];
    while (profiler.left.length > 0 && marks < 100) {
      const { stepS, watts } = device[profiler.left[0] ?? 0] ?? expect.fail("no such limit");
      [seconds, joules, marks] = [seconds + stepS, joules + stepS * watts, marks + 1];
      profiler = marked(profiler, { seconds, joules }, slice);
    }
    return { profiler, marks };
  }

  test("tells time and power of a step at each limit, highest first", () => {
    const { profiler, marks } = profile({ marks: 2, seconds: 0 });
    expect(profiler.profiles.map(({ limit }) => limit)).toEqual([300, 200, 100]);
    for (const { limit, seconds, watts } of profiler.profiles) {
      expect(seconds).toBeCloseTo(device[limit]?.stepS ?? NaN, 9);
      expect(watts).toBeCloseTo(device[limit]?.watts ?? NaN, 9);
    }
    // One mark to settle and two to measure, three times.
    expect(marks).toBe(9);
    expect(profile({ marks: 1, seconds: 5 }).marks).toBe(1 + 5 + 1 + 5 + 1 + 2);
  });

  test("chooses the least cost within the slowdown", () => {
    const { profiles } = profile({ marks: 2, seconds: 0 }).profiler;
    const energy = { eta: 1, highestLimit: 300 };
    expect(chosenLimit(energy, profiles, Infinity).limit).toBe(200);
    expect(chosenLimit(energy, profiles, 0.1 + 1e-9).limit).toBe(200);
    expect(chosenLimit(energy, profiles, 0.05).limit).toBe(300);
    expect(chosenLimit({ eta: 0, highestLimit: 300 }, profiles, Infinity).limit).toBe(300);
  });
});

describe("a job that comes again", () => {
  const options = {
    ...{ eta: 1, highestLimit: 300, batches: [16, 32, 64], defaultBatch: 64, beta: 2, window: 0 },
    ...{ slowdown: Infinity, seed: 7 },
  };
  const costs: Readonly<Record<number, { seconds: number; joules: number }>> = {
    16: { seconds: 300, joules: 50 },
    32: { seconds: 100, joules: 80 },
    64: { seconds: 100, joules: 100 },
  };
  function come(times: number, more: Partial<typeof options> = {}): readonly TunedRun[] {
    let runs: readonly TunedRun[] = [];
    for (let time = 0; time < times; time++) {
      const { batch } = nextRun(runs, { ...options, ...more });
      const cost = costs[batch] ?? expect.fail("no such batch");
      runs = [...runs, { batch, limit: null, ...cost, reached: true, profiles: [] }];
    }
    return runs;
  }

  test("tries each, then settles on the one of least cost", () => {
    const batches = come(12).map(({ batch }) => batch);
    expect(batches.slice(0, 6)).toEqual([64, 32, 16, 16, 32, 64]);
    expect(batches.slice(6).every((batch) => batch === 16)).toBe(true);
  });

  test("settles on the least cost of those that are not slower", () => {
    const runs = come(12, { slowdown: 0 });
    expect(runs.slice(6).every(({ batch }) => batch === 32)).toBe(true);
    expect(nextRun(runs, { ...options, slowdown: 0 }).tooSlow).toEqual([16]);
  });

  test("may cost so many times the best, and what failed is not tried again", () => {
    const [first] = come(1);
    expect(nextRun([], options).allowance).toBe(Infinity);
    const known = first === undefined ? [] : [first];
    expect(nextRun(known, options).allowance).toBe(200);
    const failed = { ...(first ?? expect.fail("none")), batch: 32, reached: false };
    expect(nextRun([...known, failed], options)).toMatchObject({ batch: 64, phase: "exploring" });
    expect(costOf(options, 1, 5)).toBe(5);
  });

  test("shows the mean of each setting that reached the target", () => {
    const runs = come(12);
    const [sixtyFour] = settingsSeen(runs);
    expect(sixtyFour).toMatchObject({ batch: 64, seconds: 100, joules: 100, runs: 2 });
    expect(settingsSeen(runs.map((run) => ({ ...run, reached: false })))).toEqual([]);
  });
});
