import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Goal, type Outcome, paretoFront, ranked, scoresOf } from "./index.ts";

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
