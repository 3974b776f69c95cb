import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";
import { learnActively } from "./active.ts";
import { byDifficulty, curriculum, linearPacing, rootPacing } from "./curriculum.ts";
import { countForgetting, el2n, meanScores } from "./importance.ts";
import { kCentre } from "./k-centre.ts";
import {
  candidatePairs,
  candidateProbability,
  deduplicate,
  jaccard,
  minHash,
  shingles,
  similarity,
} from "./min-hash.ts";
import { entropy, highest, leastConfidence, margin, uncertainties } from "./uncertainty.ts";

const floats = (dims: readonly number[], values: readonly number[]): TensorValue => ({
  dataType: "float32",
  dims,
  data: Float32Array.from(values),
});

describe("uncertainty", () => {
  const sure = Float64Array.of(1, 0, 0);
  const torn = Float64Array.of(0.5, 0.5, 0);
  const lost = Float64Array.of(1 / 3, 1 / 3, 1 / 3);

  test("values by hand, at both ends of the scale", () => {
    expect([sure, torn, lost].map(leastConfidence)).toEqual([0, 0.5, 1 - 1 / 3]);
    expect([sure, torn, lost].map(margin)).toEqual([0, 1, 1]);
    expect(entropy(sure)).toBe(0);
    expect(entropy(torn)).toBeCloseTo(Math.LN2, 12);
    expect(entropy(lost)).toBeCloseTo(Math.log(3), 12);
  });

  test("for two classes all three rank samples alike", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 100 }), { minLength: 2 }), (gaps) => {
        // Distinct distances from 1/2, so that no two are equally unsure.
        const samples = gaps.map((gap) => Float64Array.of(0.5 + gap / 250, 0.5 - gap / 250));
        const ranks = [leastConfidence, margin, entropy].map((measure) =>
          highest(samples.map(measure), samples.length),
        );
        expect(ranks[1]).toEqual(ranks[0]);
        expect(ranks[2]).toEqual(ranks[0]);
      }),
    );
  });

  test("for three classes they do not: margin sees two rivals, entropy the whole", () => {
    const rivals = Float64Array.of(0.49, 0.49, 0.02);
    const spread = Float64Array.of(0.5, 0.3, 0.2);
    expect(margin(rivals)).toBeGreaterThan(margin(spread));
    expect(entropy(rivals)).toBeLessThan(entropy(spread));
  });

  test("logits become probabilities without overflow", () => {
    const [first, second] = uncertainties(floats([2, 2], [1000, 0, -5000, -5000]), leastConfidence);
    expect([first, second]).toEqual([0, 0.5]);
    expect(() => uncertainties(floats([1, 2], [Number.NaN, 0]), margin)).toThrow("row 0");
  });
});

test("active learning buys each label once and finds the border sooner than chance", async () => {
  // Points 0..999 on a line, labelled by a threshold; a learner knows the gap between the labels it has.
  const border = 637;
  const run = (clever: boolean) =>
    learnActively({
      pool: 1000,
      first: 20,
      perRound: 5,
      rounds: 8,
      seed: 4,
      train: async (labelled) => ({
        low: Math.max(0, ...labelled.filter((x) => x < border)),
        high: Math.min(999, ...labelled.filter((x) => x >= border)),
      }),
      worth: async ({ low, high }, rows) =>
        rows.map((x) => (clever ? -Math.abs(x - (low + high) / 2) : (x * 7919) % 1000)),
    });
  const { labelled, learner, trainings } = await run(true);
  expect(new Set(labelled).size).toBe(60);
  expect(trainings).toBe(9);
  expect(learner.high - learner.low).toBe(1);
  const chance = (await run(false)).learner;
  expect(chance.high - chance.low).toBeGreaterThan(5);
});

describe("k-centre", () => {
  /** Smallest radius of any choice of k rows, by trying all. */
  const optimum = (points: readonly (readonly number[])[], k: number): number => {
    const distance = (a: readonly number[], b: readonly number[]) =>
      Math.hypot(...a.map((value, at) => value - (b[at] ?? 0)));
    const choices = (from: number, left: number): number[][] =>
      left === 0
        ? [[]]
        : Array.from({ length: points.length - from }, (_, at) => from + at).flatMap((row) =>
            choices(row + 1, left - 1).map((rest) => [row, ...rest]),
          );
    return Math.min(
      ...choices(0, k).map((centres) =>
        Math.max(
          ...points.map((point) =>
            Math.min(...centres.map((c) => distance(point, points[c] as readonly number[]))),
          ),
        ),
      ),
    );
  };

  test("the radius is at most twice the best of all choices", () => {
    const point = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 0, max: 20 }));
    fc.assert(
      fc.property(
        fc.array(point, { minLength: 3, maxLength: 10 }),
        fc.integer({ min: 1, max: 3 }),
        (points, k) => {
          const { rows, radius } = kCentre(floats([points.length, 2], points.flat()), k);
          expect(new Set(rows).size).toBe(k);
          expect(radius).toBeLessThanOrEqual(2 * optimum(points, k) + 1e-6);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("goes on from rows that one has, and ends with all rows at radius 0", () => {
    const line = floats([5, 1], [0, 1, 2, 9, 10]);
    expect(kCentre(line, 1, { chosen: [0] })).toEqual({ rows: [4], radius: 2 });
    expect(kCentre(line, 9).radius).toBe(0);
    expect(kCentre(line, 9).rows.length).toBe(5);
    // Rows that lie on each other are still different rows.
    expect(kCentre(floats([4, 1], [3, 3, 3, 3]), 3)).toEqual({ rows: [0, 1, 2], radius: 0 });
  });
});

describe("importance", () => {
  test("EL2N runs from 0, sure and right, to the square root of 2, sure and wrong", () => {
    const logits = floats([3, 2], [50, -50, 50, -50, 0, 0]);
    const [right = 1, wrong = 0, torn = 0] = el2n(logits, [0, 1, 0]);
    expect(right).toBeCloseTo(0, 12);
    expect(wrong).toBeCloseTo(Math.SQRT2, 12);
    expect(torn).toBeCloseTo(Math.SQRT1_2, 12);
    expect([...meanScores([Float64Array.of(1, 2), Float64Array.of(3, 6)])]).toEqual([2, 4]);
  });

  test("forgetting counts falls from right to wrong; never right counts as worst", () => {
    const counter = countForgetting(4);
    counter.observe([0, 1, 2, 3], [true, false, true, false]);
    counter.observe([0, 1, 2], [false, true, true]);
    counter.observe([0], [true]);
    counter.observe([0, 1], [false, true]);
    expect([...counter.counts()]).toEqual([2, 0, 0, Infinity]);
  });
});

describe("curriculum", () => {
  test("pacing starts at its share, never falls and ends with everything", () => {
    for (const pacing of [linearPacing(0.1), rootPacing(0.1), rootPacing(0.1, 5)]) {
      const shares = Array.from({ length: 21 }, (_, at) => pacing(at / 20));
      expect(shares[0]).toBeCloseTo(0.1, 12);
      expect(shares.at(-1)).toBe(1);
      expect(shares).toEqual([...shares].sort((a, b) => a - b));
    }
    // Platanios et al., equation 7, at half time from c0 = 0.01.
    expect(rootPacing(0.01)(0.5)).toBeCloseTo(Math.sqrt(0.5 * (1 - 0.0001) + 0.0001), 12);
    // A larger root opens the data sooner.
    expect(rootPacing(0.1, 5)(0.2)).toBeGreaterThan(rootPacing(0.1)(0.2));
  });

  test("epochs take the easiest rows first, and all of them at the end", () => {
    const order = byDifficulty([5, 1, 3, 1]);
    expect(order).toEqual([1, 3, 2, 0]);
    const rowsOf = curriculum(order, { duration: 2, pacing: linearPacing(0.5) });
    const epochs = [0, 1, 2, 3].map((epoch) => rowsOf(epoch, createRandom(epoch)));
    expect(epochs.map((rows) => [...new Set(rows)].sort())).toEqual([
      [1, 3],
      [1, 2, 3],
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
    expect(epochs.map((rows) => rows.length)).toEqual([4, 4, 4, 4]);
    expect(epochs[0]?.filter((row) => row === 1).length).toBe(2);
  });
});

describe("MinHash", () => {
  /** Two sets with `common` elements of `common + 2 * own`. */
  const pair = (common: number, own: number, salt: string) => {
    const shared = Array.from({ length: common }, (_, at) => `${salt}-${at}`);
    const only = (side: string) => Array.from({ length: own }, (_, at) => `${salt}-${side}-${at}`);
    return [new Set([...shared, ...only("a")]), new Set([...shared, ...only("b")])] as const;
  };

  test("the similarity of signatures is an unbiased estimate of Jaccard's", () => {
    const sign = minHash(256);
    for (const [common, own] of [
      [10, 45],
      [40, 30],
      [80, 10],
    ] as const) {
      const truth = common / (common + 2 * own);
      const estimates = Array.from({ length: 40 }, (_, at) => {
        const [a, b] = pair(common, own, `t${at}`);
        expect(jaccard(a, b)).toBeCloseTo(truth, 12);
        return similarity(sign(a), sign(b));
      });
      const mean = estimates.reduce((x, y) => x + y, 0) / estimates.length;
      // Standard error of one estimate sqrt(s (1 - s) / 256), of the mean sqrt(40) times less.
      const error = Math.sqrt((truth * (1 - truth)) / 256 / 40);
      expect(Math.abs(mean - truth)).toBeLessThan(4 * error);
    }
  });

  test("pairs become candidates along the S-curve", () => {
    const [bands, rows] = [8, 4];
    const sign = minHash(bands * rows, 9);
    for (const [common, own] of [
      [30, 35],
      [50, 25],
      [75, 12],
    ] as const) {
      const truth = common / (common + 2 * own);
      const trials = 150;
      let found = 0;
      for (let trial = 0; trial < trials; trial++) {
        const [a, b] = pair(common, own, `s${trial}`);
        found += candidatePairs([sign(a), sign(b)], bands).length;
      }
      const expected = candidateProbability(truth, bands, rows);
      const error = Math.sqrt((expected * (1 - expected)) / trials);
      expect(Math.abs(found / trials - expected)).toBeLessThan(4 * error + 1e-9);
    }
    expect(candidateProbability(0.8, 20, 5)).toBeCloseTo(0.99964, 4);
  });

  test("near copies are dropped for the first of them, others are kept", () => {
    const random = createRandom(1);
    const word = () =>
      Array.from({ length: 6 }, () => String.fromCharCode(97 + random.integer(26))).join("");
    const texts = Array.from({ length: 60 }, () => Array.from({ length: 40 }, word).join(" "));
    const copies = [`${texts[3]} end`, `  ${texts[3]?.toUpperCase()}`, `${texts[7]}!`];
    const { kept, dropped, compared } = deduplicate([...texts, ...copies]);
    expect(kept).toEqual(Array.from({ length: 60 }, (_, at) => at));
    expect([...dropped]).toEqual([
      [60, 3],
      [61, 3],
      [62, 7],
    ]);
    expect(compared).toBeLessThan(20);
  });

  test("shingles ignore case and white space; short texts are one", () => {
    expect([...shingles("AB  c", 3)]).toEqual(["ab ", "b c"]);
    expect([...shingles("a", 3)]).toEqual(["a"]);
    expect(jaccard(new Set(), new Set())).toBe(1);
  });
});
