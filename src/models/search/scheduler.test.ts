import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../core/index.ts";
import { asha, hyperbandBrackets, inBrackets, successiveHalving } from "./index.ts";

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
