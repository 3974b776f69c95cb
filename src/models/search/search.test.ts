import fc from "fast-check";
import { inverse, Matrix as Oracle } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { createRandom, joules, normalProbability } from "../../core/index.ts";
import {
  type Assignment,
  asha,
  bayes,
  type Config,
  condition,
  configAt,
  drawConfig,
  expectedImprovement,
  fitKernel,
  fullRuns,
  type Goal,
  hyperbandBrackets,
  inBrackets,
  logLikelihood,
  matern52,
  type Outcome,
  paretoFront,
  parseSpace,
  pointOf,
  randomSampler,
  ranked,
  type Sampler,
  type SearchOptions,
  scoresOf,
  search,
  successiveHalving,
  tpe,
} from "./index.ts";

const SPACE = parseSpace({
  lr: { float: [1e-4, 1], log: true },
  layers: { integer: [1, 4] },
  optimizer: { choice: ["sgd", "adam", "lion"] },
});

describe("the space", () => {
  test("values and places go back and forth, ends included", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 }),
        (point) => {
          const config = configAt(SPACE, point);
          expect(configAt(SPACE, pointOf(SPACE, config))).toMatchObject({
            layers: config["layers"],
            optimizer: config["optimizer"],
          });
          expect(Number(config["lr"])).toBeGreaterThanOrEqual(1e-4);
          expect(Number(config["lr"])).toBeLessThanOrEqual(1);
          expect([1, 2, 3, 4]).toContain(config["layers"]);
        },
      ),
    );
    expect(configAt(SPACE, [0, 0, 0])).toEqual({ lr: 1e-4, layers: 1, optimizer: "sgd" });
    expect(configAt(SPACE, [1, 1, 1])).toEqual({ lr: 1, layers: 4, optimizer: "lion" });
    expect(configAt(SPACE, [0.5, 0.5, 0.5])["lr"]).toBeCloseTo(1e-2, 12);
  });

  test("every integer and every choice is drawn equally often", () => {
    const random = createRandom(1);
    const counts = new Map<unknown, number>();
    for (let draw = 0; draw < 4000; draw++) {
      const { layers, optimizer } = drawConfig(SPACE, random);
      for (const value of [layers, optimizer]) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    for (const layers of [1, 2, 3, 4])
      expect(Math.abs((counts.get(layers) ?? 0) - 1000)).toBeLessThan(110);
    for (const name of ["sgd", "adam"])
      expect(Math.abs((counts.get(name) ?? 0) - 1333)).toBeLessThan(120);
  });

  test.each([
    [{}, "no object of parameters"],
    [{ lr: 3 }, "parameter lr: no object"],
    [{ lr: { float: [1, 0] } }, "parameter lr: no range"],
    [{ lr: { float: [0, 1], log: true } }, "a logarithmic range from 0"],
    [{ n: { integer: [0.5, 2] } }, "an integer from 0.5"],
    [{ n: { choice: [] } }, "no list of choices"],
    [{ n: { choice: [1], float: [0, 1] } }, "2 domains"],
    [{ n: { flaot: [0, 1] } }, "an unknown field flaot"],
    [{ resource: { float: [0, 1] } }, "parameter resource: not a name"],
    [{ "a b": { float: [0, 1] } }, "parameter a b: not a name"],
  ])("%j is refused", (space, fault) => {
    expect(() => parseSpace(space)).toThrow(fault);
  });
});

describe("brackets", () => {
  const shown = (brackets: ReturnType<typeof hyperbandBrackets>) =>
    brackets.map((rungs) => rungs.map((r) => `${r.configurations}@${r.resource}`).join(" "));

  // Li et al., JMLR 18 (2018), table 1.
  test("Hyperband's table for R = 81, eta = 3", () => {
    expect(shown(hyperbandBrackets(81, 3))).toEqual([
      "81@1 27@3 9@9 3@27 1@81",
      "34@3 11@9 3@27 1@81",
      "15@9 5@27 1@81",
      "8@27 2@81",
      "5@81",
    ]);
  });

  // The documentation of mlr3hyperband, eta = 2, r 1 to 8.
  test("Hyperband's table for R = 8, eta = 2", () => {
    expect(shown(hyperbandBrackets(8, 2))).toEqual([
      "8@1 4@2 2@4 1@8",
      "6@2 3@4 1@8",
      "4@4 2@8",
      "4@8",
    ]);
  });

  test("successive halving ends at the last configuration or the largest resource", () => {
    expect(shown([successiveHalving(9, 1, 100, 3)])).toEqual(["9@1 3@3 1@9"]);
    expect(shown([successiveHalving(27, 1, 3, 3)])).toEqual(["27@1 9@3"]);
  });
});

/** Runs a scheduler against known scores with so many workers, ending tasks in a drawn order. */
function simulate(
  scheduler: ReturnType<typeof asha>,
  workers: number,
  seed: number,
  scores: (trial: number) => number,
) {
  const random = createRandom(seed);
  const rank = (trials: readonly number[]) => [...trials].sort((a, b) => scores(a) - scores(b));
  const running: { trial: number; resource: number }[] = [];
  const log: { trial: number; resource: number }[] = [];
  const ended = new Map<number, number>();
  for (;;) {
    const task = running.length < workers ? scheduler.next(rank) : null;
    if (task !== null) {
      running.push(task);
      log.push(task);
      continue;
    }
    if (running.length === 0) return { log, ended };
    const [over] = running.splice(random.integer(running.length), 1);
    if (over !== undefined) {
      ended.set(over.resource, (ended.get(over.resource) ?? 0) + 1);
      scheduler.done(over);
    }
  }
}

describe("schedulers", () => {
  const scores = (trial: number) => (trial * 7919) % 101;

  test("Hyperband runs each rung of its table, the best going on, with any number of workers", () => {
    for (const workers of [1, 4]) {
      const brackets = hyperbandBrackets(27, 3);
      const { ended, log } = simulate(inBrackets("hyperband", brackets), workers, 2, scores);
      const expected = new Map<number, number>();
      for (const { configurations, resource } of brackets.flat()) {
        expected.set(resource, (expected.get(resource) ?? 0) + configurations);
      }
      expect(ended).toEqual(expected);
      // The winner of the first bracket is the best of its 27.
      const first = log.filter(({ trial }) => trial < 27 && trial >= 0);
      const best = [...Array(27).keys()].sort((a, b) => scores(a) - scores(b))[0];
      expect(first.find(({ resource }) => resource === 27)?.trial).toBe(best);
    }
  });

  test("ASHA promotes only what is in the best 1/eta of its rung by then, and nothing twice", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(1000), (workers, seed) => {
        const scheduler = asha({ trials: 40, least: 1, most: 27, eta: 3 });
        const rungs = new Map<number, number[]>();
        const watched: typeof scheduler = {
          ...scheduler,
          next(rank) {
            const task = scheduler.next(rank);
            const below = rungs.get((task?.resource ?? 0) / 3) ?? [];
            if (task !== null && task.resource > 1) {
              expect(rank(below, 0).indexOf(task.trial)).toBeLessThan(Math.floor(below.length / 3));
            }
            return task;
          },
          done(task) {
            rungs.set(task.resource, [...(rungs.get(task.resource) ?? []), task.trial]);
            scheduler.done(task);
          },
        };
        const { ended, log } = simulate(watched, workers, seed, scores);
        expect(ended.get(1)).toBe(40);
        expect(new Set(log.map(({ trial, resource }) => `${trial}@${resource}`)).size).toBe(
          log.length,
        );
      }),
      { numRuns: 30 },
    );
  });

  test("with one worker, and the best coming first, ASHA promotes a 1/eta of each rung and no more", () => {
    const scheduler = asha({ trials: 40, least: 1, most: 27, eta: 3 });
    const { ended } = simulate(scheduler, 1, 1, (trial) => trial);
    expect([1, 3, 9, 27].map((r) => ended.get(r))).toEqual([40, 13, 4, 1]);
  });

  test("ASHA brings the best of all to the largest resource when it comes early", () => {
    const scheduler = asha({ trials: 27, least: 1, most: 9, eta: 3 });
    const { log } = simulate(scheduler, 1, 1, (trial) => trial);
    expect(log.some(({ trial, resource }) => trial === 0 && resource === 9)).toBe(true);
  });
});

describe("Gaussian process", () => {
  const points = [
    [0.1, 0.2],
    [0.4, 0.9],
    [0.7, 0.3],
    [0.95, 0.6],
  ];
  const values = [0.3, -1.2, 0.8, 0.1];
  const kernel = { lengths: [0.3, 0.5], variance: 1.7, noise: 0.05 };

  test("the posterior is k (K + noise)^-1 y, by another linear algebra", () => {
    const process = condition(points, values, kernel);
    const K = new Oracle(
      points.map((a, i) =>
        points.map((b, j) => matern52(kernel, a, b) + (i === j ? kernel.noise : 0)),
      ),
    );
    for (const point of [
      [0.5, 0.5],
      [0.1, 0.2],
      [3, 3],
    ]) {
      const k = Oracle.rowVector(points.map((other) => matern52(kernel, point, other)));
      const weights = k.mmul(inverse(K));
      const [belief] = process?.at([point]) ?? [];
      expect(belief?.mean).toBeCloseTo(weights.mmul(Oracle.columnVector(values)).get(0, 0), 10);
      expect(belief?.variance).toBeCloseTo(1.7 - weights.mmul(k.transpose()).get(0, 0), 10);
    }
    const y = Oracle.columnVector(values);
    const fitted = y.transpose().mmul(inverse(K)).mmul(y).get(0, 0);
    // The determinant by Laplace's formula on 4 x 4 would be long; ml-matrix has its own.
    const expected = -(fitted + Math.log(determinantOf(K)) + 4 * Math.log(2 * Math.PI)) / 2;
    expect(logLikelihood(points, values, kernel)).toBeCloseTo(expected, 10);
  });

  test("without noise it goes through its points; far away it knows nothing", () => {
    const process = condition(points, values, { ...kernel, noise: 1e-10 });
    points.forEach((point, at) => {
      const [belief] = process?.at([point]) ?? [];
      expect(belief?.mean).toBeCloseTo(values[at] ?? 0, 6);
      expect(belief?.variance).toBeLessThan(1e-6);
    });
    const [far] = process?.at([[50, 50]]) ?? [];
    expect(far?.mean).toBeCloseTo(0, 10);
    expect(far?.variance).toBeCloseTo(1.7, 10);
  });

  test("the fitted kernel finds the axis that matters", () => {
    const random = createRandom(3);
    const inputs = Array.from({ length: 25 }, () => [random.uniform(), random.uniform()]);
    const outputs = inputs.map(([x = 0]) => Math.sin(6 * x));
    const { lengths } = fitKernel(inputs, outputs);
    expect(lengths[1]).toBeGreaterThan(2 * (lengths[0] ?? Infinity));
  });

  test("expected improvement: never negative, its limit at no doubt, and by quadrature", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: 0, max: 3, noNaN: true }),
        (best, mean, deviation) => {
          const gain = expectedImprovement(best, mean, deviation);
          expect(gain).toBeGreaterThanOrEqual(Math.max(0, best - mean) - 1e-12);
          expect(expectedImprovement(best, mean, 1e-12)).toBeCloseTo(Math.max(0, best - mean), 9);
        },
      ),
    );
    // E[max(b - f, 0)] is the integral of P(f < x) up to b.
    const [best, mean, deviation] = [0.4, 0.9, 0.7];
    let integral = 0;
    const step = 1e-3;
    for (let x = mean - 9 * deviation; x < best; x += step) {
      integral += normalProbability((x + step / 2 - mean) / deviation) * Math.min(step, best - x);
    }
    expect(expectedImprovement(best, mean, deviation)).toBeCloseTo(integral, 6);
  });
});

/** Determinant by elimination. */
function determinantOf(m: Oracle): number {
  const rows = m.to2DArray();
  let product = 1;
  for (let i = 0; i < rows.length; i++) {
    const pivot = rows[i]?.[i] ?? 0;
    product *= pivot;
    for (let j = i + 1; j < rows.length; j++) {
      const factor = (rows[j]?.[i] ?? 0) / pivot;
      for (let c = i; c < rows.length; c++)
        (rows[j] as number[])[c] = (rows[j]?.[c] ?? 0) - factor * (rows[i]?.[c] ?? 0);
    }
  }
  return product;
}

describe("samplers against even draws, on known functions, seed by seed", () => {
  const LINE = parseSpace({ x: { float: [-5, 10] } });
  const PLANE = parseSpace({ x: { float: [-5, 10] }, y: { float: [0, 15] } });
  const gp = bayes({ candidates: 200 });
  const quadratic = ({ x }: Config) => (Number(x) - 3.7) ** 2;
  /** Branin's function, minimum 0.397887 (Dixon & Szego 1978). */
  const branin = ({ x, y }: Config) => {
    const [a, b] = [Number(x), Number(y)];
    return (
      (b - (5.1 / (4 * Math.PI ** 2)) * a * a + (5 / Math.PI) * a - 6) ** 2 +
      10 * (1 - 1 / (8 * Math.PI)) * Math.cos(a) +
      10
    );
  };
  const MIXED = parseSpace({ x: { float: [0, 1] }, kind: { choice: ["a", "b", "c", "d", "e"] } });
  const mixed = ({ x, kind }: Config) => (Number(x) - 0.3) ** 2 + (kind === "d" ? 0 : 1);

  const lowest = (
    sampler: Sampler,
    space: typeof LINE,
    f: (c: Config) => number,
    trials: number,
    seed: number,
  ) => {
    const observed: { config: Config; score: number }[] = [];
    for (let trial = 0; trial < trials; trial++) {
      const config = sampler.propose(space, observed, createRandom(seed * 1000 + trial));
      observed.push({ config, score: f(config) });
    }
    return Math.min(...observed.map(({ score }) => score));
  };

  test.each([
    ["tpe", tpe(), LINE, quadratic, { trials: 40, seeds: 20, below: 0.005 }],
    ["tpe", tpe(), MIXED, mixed, { trials: 50, seeds: 20, below: 0.002 }],
    ["gp", gp, LINE, quadratic, { trials: 15, seeds: 5, below: 0.005 }],
    ["gp", gp, PLANE, branin, { trials: 25, seeds: 5, below: 0.8 }],
    ["gp", gp, MIXED, mixed, { trials: 20, seeds: 5, below: 0.01 }],
  ] as const)("%s, case %#", (_, sampler, space, f, { trials, seeds, below }) => {
    const own: number[] = [];
    let wins = 0;
    for (let seed = 1; seed <= seeds; seed++) {
      const found = lowest(sampler, space, f, trials, seed);
      own.push(found);
      if (found <= lowest(randomSampler, space, f, trials, seed)) wins++;
    }
    expect(wins).toBeGreaterThanOrEqual(0.75 * seeds);
    expect(own.toSorted((a, b) => a - b)[Math.floor(seeds / 2)]).toBeLessThan(below);
  });

  test("a failure or an infinite score does not stop a sampler", () => {
    const observed = Array.from({ length: 12 }, (_, at) => ({
      config: { x: at - 3 },
      score: at % 3 === 0 ? Infinity : at,
    }));
    for (const sampler of [tpe(), bayes()]) {
      expect(Number(sampler.propose(LINE, observed, createRandom(1))["x"])).toBeGreaterThanOrEqual(
        -5,
      );
    }
  });
});

describe("goals", () => {
  const outcome = (trial: number, value: number | null, joulesUsed: number | null): Outcome => ({
    ...{ trial, config: {}, resource: 1, value, joules: joulesUsed },
  });
  const some = [
    outcome(0, 0.9, 100),
    outcome(1, 0.8, 10),
    outcome(2, 0.85, 200),
    outcome(3, null, 5),
  ];
  const order = (goal: Goal) => ranked(goal, some).map(({ trial }) => trial);

  test("the metric alone; failures come last", () => {
    expect(order({ better: "higher" })).toEqual([0, 2, 1, 3]);
    expect(order({ better: "lower" })).toEqual([1, 2, 0, 3]);
  });

  test("under a limit, whatever keeps it goes before all that break it", () => {
    expect(order({ better: "higher", energy: { role: "limit", joules: 50 } })).toEqual([
      1, 0, 2, 3,
    ]);
  });

  test("energy as the aim, among what is good enough", () => {
    const goal: Goal = { better: "higher", energy: { role: "objective", goodEnough: 0.84 } };
    expect(order(goal)).toEqual([0, 2, 1, 3]);
  });

  test("the front is what nothing beats in both, by trying all pairs", () => {
    const goal: Goal = { better: "higher", energy: { role: "front" } };
    expect(paretoFront(goal, some).map(({ trial }) => trial)).toEqual([1, 0]);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 12 }), (pairs) => {
        const outcomes = pairs.map(([value, used], at) => outcome(at, value, used));
        const front = new Set(paretoFront(goal, outcomes).map(({ trial }) => trial));
        for (const one of outcomes) {
          const beaten = outcomes.some(
            (other) =>
              (other.value ?? 0) >= (one.value ?? 0) &&
              (other.joules ?? 0) <= (one.joules ?? 0) &&
              (other.value !== one.value || other.joules !== one.joules),
          );
          expect(front.has(one.trial)).toBe(!beaten);
        }
      }),
    );
    // A weight of 0 looks at the metric, of 1 at the energy.
    const lowest = (weight: number) => {
      const scores = scoresOf(goal, some.slice(0, 3), weight);
      return scores.indexOf(Math.min(...scores));
    };
    expect([lowest(0), lowest(1)]).toEqual([0, 1]);
  });
});

describe("a search", () => {
  const space = parseSpace({ x: { float: [0, 1] } });
  const evaluate = async ({ config, resource }: Assignment) => ({
    value: 1 - (Number(config["x"]) - 0.4) ** 2 - 1 / (10 * resource),
    joules: 2 * resource,
  });
  const options = (changes: Partial<SearchOptions> = {}): SearchOptions => ({
    ...{ space, sampler: tpe({ startUp: 4 }), scheduler: fullRuns(12, 9), seed: 1, evaluate },
    goal: { better: "higher" },
    ...changes,
  });

  test("is repeated by its seed, and adds up all that it used", async () => {
    const [a, b] = [await search(options()), await search(options({ scheduler: fullRuns(12, 9) }))];
    expect(a).toEqual(b);
    expect(a).toMatchObject({ energy: 12 * 18, stopped: "done" });
    expect(a.best?.value).toBe(Math.max(...a.outcomes.map(({ value }) => value ?? 0)));
  });

  test("goes on where it stopped: what is known is not run again, and the end is the same", async () => {
    const scheduler = () => asha({ trials: 12, least: 1, most: 9 });
    const whole = await search(options({ scheduler: scheduler() }));
    for (const cut of [1, 7, whole.outcomes.length]) {
      let runs = 0;
      const resumed = await search(
        options({
          scheduler: scheduler(),
          known: whole.outcomes.slice(0, cut),
          evaluate: async (assignment) => {
            runs++;
            return evaluate(assignment);
          },
        }),
      );
      expect(resumed).toEqual(whole);
      expect(runs).toBe(whole.outcomes.length - cut);
    }
  });

  test("keeps workers busy, as many as it was given", async () => {
    let [now, most] = [0, 0];
    const busy: SearchOptions["evaluate"] = async (assignment) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 1));
      now--;
      return evaluate(assignment);
    };
    await search(options({ evaluate: busy, workers: 3 }));
    expect(most).toBe(3);
  });

  test("ends when its energy is spent, and says so", async () => {
    const result = await search(options({ maxEnergy: joules(40) }));
    expect(result.stopped).toBe("energy");
    expect(result.outcomes.length).toBe(3);
    const silent: SearchOptions["evaluate"] = async () => ({ value: 1, joules: null });
    await expect(search(options({ maxEnergy: joules(40), evaluate: silent }))).rejects.toThrow(
      "has no energy to count",
    );
    expect((await search(options({ evaluate: silent }))).energy).toBeNull();
  });

  test("stops at an abort with what it has; a fault of ours ends it and every worker", async () => {
    const abort = new AbortController();
    const result = await search(
      options({
        signal: abort.signal,
        onOutcome: (_, all) => {
          if (all.length === 5) abort.abort();
        },
      }),
    );
    expect(result).toMatchObject({ stopped: "aborted" });
    expect(result.outcomes.length).toBe(5);
    const broken: SearchOptions["evaluate"] = async () => Promise.reject(new Error("no memory"));
    await expect(search(options({ evaluate: broken, workers: 2 }))).rejects.toThrow("no memory");
  });

  test("failures are outcomes: never promoted, never best", async () => {
    const result = await search(
      options({
        scheduler: asha({ trials: 9, least: 1, most: 9 }),
        evaluate: async ({ trial, resource }) => ({
          value: trial < 8 ? null : 0.5,
          joules: resource,
        }),
      }),
    );
    expect(result.best?.trial).toBe(8);
    expect(
      result.outcomes.filter(({ resource }) => resource > 1).map(({ trial }) => trial),
    ).toEqual([8]);
  });
});
