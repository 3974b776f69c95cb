import { describe, expect, test } from "vitest";
import { createRandom } from "../../../core/index.ts";
import { binomialCdf, upperProportion } from "./binomial.ts";
import { binaryBound, likelyBound, testNonInferiority } from "./non-inferiority.ts";

/** Scores of `samples` of which `lost` got worse and `won` better; the rest are right before and after. */
function scores(samples: number, lost: number, won: number) {
  const before = new Float64Array(samples).fill(1);
  const after = new Float64Array(samples).fill(1);
  after.fill(0, 0, lost);
  before.fill(0, lost, lost + won);
  return [before, after] as const;
}

describe("bounds of a proportion", () => {
  test("agree with the published ones", () => {
    // 0 of n: 1 - alpha^(1/n). 10 of 100 at 97.5 %: 0.1762 (Clopper-Pearson tables).
    expect(upperProportion(0, 100, 0.05)).toBeCloseTo(1 - 0.05 ** (1 / 100), 12);
    expect(upperProportion(10, 100, 0.025)).toBeCloseTo(0.17622, 5);
    expect(upperProportion(7, 7, 0.05)).toBe(1);
    expect(binomialCdf(3, 10, 0.5)).toBeCloseTo(176 / 1024, 12);
  });
});

describe("non-inferiority of paired answers", () => {
  test("one point cannot be shown with 200 samples, however alike they are", () => {
    const result = testNonInferiority(...scores(200, 0, 0), { margin: 0.01 });
    expect(result).toMatchObject({ drop: 0, method: "exact", isShown: false });
    expect(result.needed).toBe(368);
    expect(testNonInferiority(...scores(368, 0, 0), { margin: 0.01 }).isShown).toBe(true);
  });

  test("is that of compress.md 2.21 where many samples differ", () => {
    const result = testNonInferiority(...scores(1860, 28, 28), { margin: 0.01 });
    expect(result.method).toBe("normal");
    expect(result.upper).toBeCloseTo((1.6449 * Math.sqrt(56 / 1860)) / Math.sqrt(1860), 5);
    expect(result.isShown).toBe(true);
    // 3 % discordant, a margin of one point: about 1,860 samples.
    expect(result.needed).toBeGreaterThan(1840);
    expect(result.needed).toBeLessThan(1880);
  });

  test("a drop beyond the margin needs no number of samples, and a gain is no drop", () => {
    expect(testNonInferiority(...scores(1000, 30, 0), { margin: 0.01 })).toMatchObject({
      isShown: false,
      needed: null,
      lost: 30,
    });
    expect(testNonInferiority(...scores(1000, 2, 40), { margin: 0.001 }).isShown).toBe(true);
  });

  test("the exact bound holds in every population of a small study", () => {
    const samples = 30;
    for (const alpha of [0.05, 0.2]) {
      for (const [lose, win] of [
        [0.02, 0],
        [0.1, 0.02],
        [0.05, 0.05],
        [0.2, 0.1],
        [0.3, 0],
      ] as const) {
        let covered = 0;
        for (let lost = 0; lost <= samples; lost++) {
          for (let won = 0; won + lost <= Math.min(samples, 24); won++) {
            const [, upper] = binaryBound({ samples, lost, won }, alpha);
            if (upper >= lose - win) covered += trinomial(samples, [lost, won], [lose, win]);
          }
        }
        expect(covered, `${alpha} ${lose} ${win}`).toBeGreaterThan(1 - alpha - 1e-9);
      }
    }
  });

  test("errs as seldom as it promises for scores that are numbers", () => {
    const random = createRandom(3);
    let wrong = 0;
    const runs = 12;
    for (let run = 0; run < runs; run++) {
      const before = Float64Array.from({ length: 80 }, () => random.normal());
      // The true drop is the margin: to call it shown is an error.
      const after = before.map((score) => score - 0.1 + 0.3 * random.normal());
      if (testNonInferiority(before, after, { margin: 0.1, alpha: 0.1, seed: run }).isShown)
        wrong++;
    }
    expect(wrong / runs).toBeLessThan(0.3);
  });

  test("equal infinities do not differ, a lost one is not forgiven", () => {
    const best = Float64Array.of(Infinity, 20, 30);
    expect(testNonInferiority(best, best, { margin: 1 })).toMatchObject({ drop: 0, isShown: true });
    const worse = Float64Array.of(40, 20, 30);
    expect(testNonInferiority(best, worse, { margin: 1 }).isShown).toBe(false);
  });
});

function trinomial(
  n: number,
  [a, b]: readonly [number, number],
  [p, q]: readonly [number, number],
): number {
  const log = (of: number): number => {
    let sum = 0;
    for (let i = 2; i <= of; i++) sum += Math.log(i);
    return sum;
  };
  const power = (base: number, exponent: number): number => (exponent === 0 ? 1 : base ** exponent);
  const rest = n - a - b;
  const ways = Math.exp(log(n) - log(a) - log(b) - log(rest));
  return ways * power(p, a) * power(q, b) * power(1 - p - q, rest);
}

test("what a test on other samples will probably bound is foreseen by samples seen before", () => {
  const random = createRandom(11);
  const drawn = (samples: number) => {
    let [lost, won] = [0, 0];
    for (let sample = 0; sample < samples; sample++) {
      const place = random.uniform();
      if (place < 0.02) lost++;
      else if (place < 0.03) won++;
    }
    return { samples, lost, won };
  };
  for (const power of [0.8, 0.95]) {
    const kept = Array.from({ length: 400 }, () => {
      const foreseen = likelyBound(drawn(1000), { verified: 2000, alpha: 0.05, power });
      const [, bound] = binaryBound(drawn(2000), 0.05);
      return bound <= foreseen ? 1 : 0;
    });
    const share = kept.reduce((sum: number, one) => sum + one, 0) / kept.length;
    expect(Math.abs(share - power)).toBeLessThan(0.05);
  }
});
