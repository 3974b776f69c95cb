import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../core/index.ts";
import { meanInterval, welchTest, zTest } from "./test-of-difference.ts";

// Student (1908), "The probable error of a mean", Biometrika 6: hours of sleep gained with two drugs.
const DRUG_1 = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0];
const DRUG_2 = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];

describe("Welch's test", () => {
  test("gives what the manual of R prints for Student's sleep data", () => {
    // R, ?t.test: t = -1.8608, df = 17.776, p-value = 0.07939.
    const result = welchTest(DRUG_1, DRUG_2);
    expect(result.value).toBeCloseTo(1.58, 10);
    expect(result.freedom).toBeCloseTo(17.776, 3);
    expect(result.p).toBeCloseTo(0.07939, 5);
    // 10 % in the tails: zero lies outside just when p < 0.1.
    expect(result.low).toBeGreaterThan(0);
  });

  test("with one value against several is the pooled test of that one", () => {
    // By hand: s = 1, standard error sqrt(1 + 1/3), difference 2, 2 degrees of freedom.
    const result = welchTest([1, 2, 3], [4]);
    const t = 2 / Math.sqrt(4 / 3);
    expect(result.freedom).toBe(2);
    expect(result.p).toBeCloseTo(1 - t / Math.sqrt(2 + t * t), 12);
    expect(() => welchTest([1], [2])).toThrow(RangeError);
  });

  test("swapping the sides turns the difference around and nothing else", () => {
    const values = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), {
      minLength: 2,
      maxLength: 9,
    });
    fc.assert(
      fc.property(values, values, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, common) => {
        const there = welchTest(a, b, common);
        const back = welchTest(b, a, common);
        expect(back.value).toBeCloseTo(-there.value, 12);
        expect(back.low).toBeCloseTo(-there.high, 9);
        expect(back.p).toBeCloseTo(there.p, 9);
      }),
    );
  });

  test("the interval leaves out zero just when p is below 0.1", () => {
    const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 2, maxLength: 9 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const { low, high, p } = welchTest(a, b);
        fc.pre(Math.abs(p - 0.1) > 1e-9);
        expect(low > 0 || high < 0).toBe(p < 0.1);
      }),
    );
  });

  test("an error common to all repeats is not averaged away, and only widens", () => {
    const alone = welchTest(DRUG_1, DRUG_2);
    const more = welchTest(DRUG_1, DRUG_2, 1);
    expect(more.freedom).toBeGreaterThan(alone.freedom);
    expect(more.high - more.low).toBeGreaterThan(alone.high - alone.low);
    const many = Array.from({ length: 1000 }, (_, i) => i % 2);
    // 1.645 standard deviations to each side however many repeats there are.
    expect(welchTest(many, many, 1).high).toBeCloseTo(1.6449, 2);
  });

  test("values without spread differ exactly or not at all", () => {
    expect(welchTest([1, 1], [1, 1])).toMatchObject({ value: 0, p: 1 });
    expect(welchTest([1, 1], [2, 2])).toMatchObject({ low: 1, high: 1, p: 0 });
  });

  test.each([
    ["equal spreads, five each", 5, 5, 1],
    ["three each", 3, 3, 1],
    ["unequal spreads and numbers", 4, 10, 4],
  ])("finds a difference where there is none in about 10 %% of cases: %s", (_, m, n, ratio) => {
    const random = createRandom(7);
    const draw = (count: number, spread: number): number[] =>
      Array.from({ length: count }, () => spread * random.normal());
    const trials = 4000;
    let found = 0;
    for (let i = 0; i < trials; i++) if (welchTest(draw(m, ratio), draw(n, 1)).p < 0.1) found++;
    // Welch's approximation is a little conservative for very few values; it must not be lax.
    expect(found / trials).toBeGreaterThan(0.06);
    expect(found / trials).toBeLessThan(0.115);
  });
});

test("the z test is the normal one", () => {
  // 1.96 standard errors leave 5 % in the tails.
  const { p, low, high } = zTest({ value: 0, sigma: 3 }, { value: 1.959964 * 5, sigma: 4 });
  expect(p).toBeCloseTo(0.05, 6);
  expect(high - low).toBeCloseTo(2 * 1.6448536 * 5, 5);
});

test("the interval of a mean is Student's", () => {
  // t(0.95; 9) = 1.833; the standard deviation of DRUG_1 is 1.789 (Student 1908 gives 1.70 with n).
  const { value, low, high } = meanInterval(DRUG_1);
  expect(value).toBeCloseTo(0.75, 12);
  expect((high - low) / 2).toBeCloseTo((1.833 * 1.789) / Math.sqrt(10), 2);
});
