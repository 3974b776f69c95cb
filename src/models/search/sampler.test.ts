import { describe, expect, test } from "vitest";
import { createRandom } from "../../core/index.ts";
import { bayes, type Config, parseSpace, randomSampler, type Sampler, tpe } from "./index.ts";

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
