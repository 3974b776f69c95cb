import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { beats, crowdingDistance, fastNonDominatedSort, type Point, selectBest } from "./nsga.ts";

const at = (...objectives: readonly number[]): Point => ({ objectives, violation: 0 });

const points = fc.integer({ min: 1, max: 3 }).chain((size) =>
  fc.array(
    fc.record({
      objectives: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: size, maxLength: size }),
      violation: fc.constantFrom(0, 0, 0, 1, 2),
    }),
    { maxLength: 25 },
  ),
);

/** Fronts by peeling: what nothing that is left beats, again and again. */
function peeled(all: readonly Point[]): readonly (readonly number[])[] {
  const fronts: (readonly number[])[] = [];
  let left = all.map((_, place) => place);
  while (left.length > 0) {
    const front = left.filter(
      (one) => !left.some((other) => beats(all[other] as Point, all[one] as Point)),
    );
    fronts.push(front);
    left = left.filter((one) => !front.includes(one));
  }
  return fronts;
}

describe("the fast non-dominated sort", () => {
  test("gives the fronts that peeling gives", () => {
    fc.assert(
      fc.property(points, (all) => {
        expect(fastNonDominatedSort(all)).toEqual(peeled(all));
      }),
    );
  });

  test("puts what is allowed before what is not, and that by how far it is beyond", () => {
    const beyond = { objectives: [0, 0], violation: 2 };
    const nearly = { objectives: [9, 9], violation: 1 };
    expect(fastNonDominatedSort([beyond, at(5, 5), nearly])).toEqual([[1], [2], [0]]);
  });

  test("calls nothing better than its equal", () => {
    expect(beats(at(1, 2), at(1, 2))).toBe(false);
    expect(beats(at(1, 2), at(1, 3))).toBe(true);
    expect(beats(at(0, 3), at(1, 2))).toBe(false);
  });
});

describe("the crowding distance", () => {
  test("is that of an example by hand", () => {
    // Ranges 10 and 8. The second: (4 - 0)/10 + (8 - 3)/8; the third: (10 - 1)/10 + (4 - 0)/8.
    const front = [at(0, 8), at(1, 4), at(4, 3), at(10, 0)];
    expect(crowdingDistance(front)).toEqual([
      Number.POSITIVE_INFINITY,
      expect.closeTo(0.4 + 0.625, 12),
      expect.closeTo(0.9 + 0.5, 12),
      Number.POSITIVE_INFINITY,
    ]);
  });

  test("does not hang on the order or the scale of the objectives", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 99 }), { maxLength: 9 }), (xs) => {
        const front = xs.map((x) => at(x, -x));
        const other = xs.map((x) => at(1000 * x, 3 - x)).toReversed();
        const [one, two] = [crowdingDistance(front), crowdingDistance(other).toReversed()];
        for (const [place, distance] of one.entries()) {
          if (Number.isFinite(distance)) expect(two[place]).toBeCloseTo(distance, 9);
          else expect(two[place]).toBe(distance);
        }
      }),
    );
  });

  test("is nothing between points that are alike in everything", () => {
    expect(crowdingDistance([at(1, 1), at(1, 1), at(1, 1)])[1]).toBe(0);
  });
});

test("the best are of the first fronts, and of the last that fits those that stand alone", () => {
  const all = [at(0, 8), at(1, 4), at(4, 3), at(10, 0), at(11, 9)];
  expect(selectBest(all, 2)).toEqual([0, 3]);
  expect(selectBest(all, 3)).toEqual([0, 3, 2]);
  expect(selectBest(all, 9)).toEqual([0, 3, 2, 1, 4]);
});
