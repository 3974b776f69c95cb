import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../core/index.ts";
import {
  bestLimit,
  costOf,
  newTuner,
  nextBatch,
  observed,
  oracleCost,
  paretoFront,
  potentialOf,
  recur,
  settingsOf,
  type Tuner,
  type Workload,
  workloadFrom,
} from "./index.ts";

/** Two batch sizes, two limits, all in round numbers. */
const workload: Workload = {
  name: "toy",
  defaultBatch: 32,
  mostEpochs: 20,
  batches: [
    {
      batch: 16,
      epochs: [4, 4],
      profiles: [
        { limit: 100, seconds: 12, watts: 90 },
        { limit: 200, seconds: 10, watts: 180 },
      ],
    },
    {
      batch: 32,
      epochs: [10, 10],
      profiles: [
        { limit: 100, seconds: 7, watts: 95 },
        { limit: 200, seconds: 5, watts: 190 },
      ],
    },
    {
      batch: 64,
      epochs: [null, null],
      profiles: [
        { limit: 100, seconds: 5, watts: 99 },
        { limit: 200, seconds: 3, watts: 199 },
      ],
    },
  ],
};

describe("the potential", () => {
  test("is each knob's best against the default at the highest limit", () => {
    // Default: 10 epochs x 5 s x 190 W = 9500 J in 50 s.
    const { baseline, both, limitOnly, batchOnly, noSlowdown } = potentialOf(workload);
    expect(baseline).toMatchObject({ batch: 32, limit: 200, seconds: 50, joules: 9500 });
    expect(both.setting).toMatchObject({ batch: 16, limit: 100, seconds: 48, joules: 4320 });
    expect(limitOnly.energy).toBeCloseTo(1 - 6650 / 9500, 12);
    expect(batchOnly.energy).toBeCloseTo(1 - 7200 / 9500, 12);
    expect(noSlowdown.setting).toEqual(both.setting);
    expect(potentialOf(workload).noSlowdownLimitOnly.energy).toBe(0);
    // 70 s of the low limit are 40 % more than 50 s.
    expect(potentialOf(workload, 0.4).noSlowdownLimitOnly.energy).toBeGreaterThan(0);
  });

  test("a setting that never reached the target is no setting", () => {
    expect(settingsOf(workload).every(({ batch }) => batch !== 64)).toBe(true);
  });

  test("the front holds exactly what nothing else beats in both, by comparing all pairs", () => {
    const points = fc.array(
      fc.record({
        batch: fc.constant(1),
        limit: fc.constant(1),
        seconds: fc.integer({ min: 1, max: 9 }),
        joules: fc.integer({ min: 1, max: 9 }),
      }),
    );
    fc.assert(
      fc.property(points, (settings) => {
        const front = paretoFront(settings);
        const key = (one: { seconds: number; joules: number }) => `${one.seconds} ${one.joules}`;
        const unbeaten = settings.filter((one) =>
          settings.every(
            (other) =>
              other.seconds > one.seconds ||
              other.joules > one.joules ||
              (other.seconds === one.seconds && other.joules === one.joules),
          ),
        );
        expect(new Set(front.map(key))).toEqual(new Set(unbeaten.map(key)));
      }),
    );
  });
});

describe("cost", () => {
  test("is energy at eta 1 and highest power x time at eta 0", () => {
    expect(costOf({ eta: 1, highestLimit: 250 }, 10, 700)).toBe(700);
    expect(costOf({ eta: 0, highestLimit: 250 }, 10, 700)).toBe(2500);
    expect(
      bestLimit({ eta: 1, highestLimit: 200 }, workload.batches[0]?.profiles ?? []).limit,
    ).toBe(100);
    expect(
      bestLimit({ eta: 0, highestLimit: 200 }, workload.batches[0]?.profiles ?? []).limit,
    ).toBe(200);
  });
});

describe("reading traces", () => {
  const power =
    "dataset,optimizer,batch_size,power_limit,time_per_epoch,average_power\nd,o,8,100,2,50\n";
  const key = {
    ...{ name: "d", dataset: "d", optimizer: "o", target: 0.5 },
    ...{ defaultBatch: 32, mostEpochs: 9 },
  };

  test("a run without a target epoch failed; it did not take no epochs", () => {
    const head = "dataset,optimizer,batch_size,target_metric,target_epoch\n";
    const training = `${head}d,o,8,0.5,3\nd,o,8,0.5,nan\nd,o,8,0.5,\nd,o,8,0.6,9\n`;
    const read = workloadFrom(training, power, key);
    expect(read.batches[0]?.epochs).toEqual([3, null, null]);
    expect(read.defaultBatch).toBe(8);
    expect(() => workloadFrom(training, power, { ...key, dataset: "e" })).toThrow(/no batch size/);
  });
});

describe("the tuner", () => {
  /** Runs a tuner against fixed costs; batches listed in `failing` never reach the target. */
  function explore(costs: ReadonlyMap<number, number>, failing: ReadonlySet<number>) {
    let tuner: Tuner = newTuner([...costs.keys()], 32);
    const tried: number[] = [];
    while (tuner.phase === "exploring") {
      const batch = nextBatch(tuner, createRandom(1));
      tried.push(batch);
      const reached = !failing.has(batch);
      tuner = observed(tuner, { batch, cost: costs.get(batch) ?? NaN, reached });
    }
    return { tuner, tried };
  }

  test("goes down from the default and then up, ends a direction at a failure, and does so twice", () => {
    const costs = new Map([8, 16, 32, 64, 128].map((batch) => [batch, batch]));
    const { tuner, tried } = explore(costs, new Set([8, 128]));
    // The second round starts at the best of the first, 16.
    expect(tried).toEqual([32, 16, 8, 64, 128, 16, 32, 64]);
    expect(tuner.arms.map(({ batch }) => batch)).toEqual([16, 32, 64]);
  });

  test("then draws the arm whose mean cost it believes least, and all arms while unsure", () => {
    const sure: Tuner = {
      ...{ phase: "sampling", window: 0 },
      arms: [
        { batch: 8, costs: [10, 10] },
        { batch: 16, costs: [9, 9] },
      ],
    };
    expect(nextBatch(sure, createRandom(3))).toBe(16);
    const unsure = { ...sure, arms: [{ batch: 8, costs: [2, 20] }, ...sure.arms.slice(1)] };
    const random = createRandom(3);
    const drawn = new Set(Array.from({ length: 50 }, () => nextBatch(unsure, random)));
    expect(drawn).toEqual(new Set([8, 16]));
  });

  test("with a window forgets what was long ago", () => {
    let tuner: Tuner = { phase: "sampling", window: 2, arms: [{ batch: 8, costs: [] }] };
    for (const cost of [1, 2, 3]) tuner = observed(tuner, { batch: 8, cost, reached: true });
    expect(tuner.arms[0]?.costs).toEqual([2, 3]);
  });
});

describe("a job that comes again and again", () => {
  test("settles on the oracle's setting where runs do not vary", () => {
    const comings = recur(workload, { eta: 1, beta: 2, times: 12, seed: 1 });
    expect(comings).toHaveLength(12);
    expect(comings.at(-1)).toMatchObject({ batch: 16, limit: 100, joules: 4320, seconds: 48 });
    expect(oracleCost(workload, 1)).toBe(4320);
  });

  test("the first run at a batch size pays for profiling within its first epoch", () => {
    const [first] = recur(workload, { eta: 1, beta: 2, times: 1, seed: 1 });
    // 9 epochs at 100 W limit (7 s x 95 W) and one at the mean of both (665 and 950 J).
    expect(first?.joules).toBeCloseTo(9 * 665 + (665 + 950) / 2, 9);
  });

  test("is the same for the same seed", () => {
    const options = { eta: 0.5, beta: 2, times: 30, seed: 5 };
    expect(recur(workload, options)).toEqual(recur(workload, options));
  });

  test("a target that is out of reach is an error, not an endless search", () => {
    const hopeless = { ...workload, batches: workload.batches.slice(2), defaultBatch: 64 };
    expect(() => recur(hopeless, { eta: 1, beta: 2, times: 1, seed: 1 })).toThrow(/20 tries/);
  });
});
