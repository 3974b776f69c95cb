import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { incompleteBeta, logGamma, normalTails, studentQuantile, studentTails } from "./student.ts";

describe("Student's t", () => {
  // Upper 5 % points: Abramowitz & Stegun (1964), table 26.10; NIST/SEMATECH e-Handbook, 1.3.6.7.2.
  test.each([
    [1, 6.314],
    [2, 2.92],
    [5, 2.015],
    [10, 1.812],
    [30, 1.697],
    [100, 1.66],
    [Number.POSITIVE_INFINITY, 1.645],
  ])("leaves 10 %% in both tails beyond the tabulated point for %d degrees", (freedom, point) => {
    expect(studentQuantile(0.1, freedom)).toBeCloseTo(point, 3);
  });

  test("has the closed forms of one and two degrees of freedom", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 50, noNaN: true }), (t) => {
        expect(studentTails(t, 1)).toBeCloseTo(1 - (2 / Math.PI) * Math.atan(t), 11);
        expect(studentTails(t, 2)).toBeCloseTo(1 - t / Math.sqrt(2 + t * t), 11);
      }),
    );
  });

  test("approaches the normal distribution without a step at the switch", () => {
    for (const t of [0.1, 1, 2, 4]) {
      expect(Math.abs(studentTails(t, 0.999e6) - normalTails(t))).toBeLessThan(1e-6);
    }
  });

  test("its quantile undoes its tails", () => {
    const tails = fc.double({ min: 0.001, max: 0.999, noNaN: true });
    const freedom = fc.double({ min: 0.6, max: 1e4, noNaN: true });
    fc.assert(
      fc.property(tails, freedom, (p, df) => {
        expect(studentTails(studentQuantile(p, df), df)).toBeCloseTo(p, 9);
      }),
    );
  });

  test("is even, and 1 at zero", () => {
    expect(studentTails(0, 3.7)).toBe(1);
    expect(studentTails(-2.5, 3.7)).toBe(studentTails(2.5, 3.7));
    expect(() => studentTails(1, 0)).toThrow(RangeError);
    expect(() => studentQuantile(1, 5)).toThrow(RangeError);
  });
});

test("the normal tails are those of the tables", () => {
  // Abramowitz & Stegun (1964), table 26.1: P(1) = 0.841344746068543, P(3) = 0.998650101968370.
  expect(normalTails(1)).toBeCloseTo(2 * (1 - 0.841344746068543), 14);
  expect(normalTails(3)).toBeCloseTo(2 * (1 - 0.99865010196837), 14);
  expect(normalTails(1.959963984540054)).toBeCloseTo(0.05, 14);
  expect(normalTails(100)).toBe(0);
  expect(normalTails(0)).toBe(1);
});

test("log-gamma is the factorial's logarithm", () => {
  let factorial = 0;
  for (let n = 1; n < 60; n++) {
    factorial += Math.log(n);
    expect(logGamma(n + 1)).toBeCloseTo(factorial, 11);
  }
  expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.sqrt(Math.PI)), 13);
});

test("the incomplete beta function is the binomial's upper tail", () => {
  // I_x(a, n - a + 1) = P(X >= a), X binomial with n and x (Abramowitz & Stegun, 26.5.24).
  const n = 12;
  const choose = (k: number): number =>
    Math.exp(logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1));
  for (const x of [0.05, 0.3, 0.5, 0.9]) {
    for (let a = 1; a <= n; a++) {
      let tail = 0;
      for (let k = a; k <= n; k++) tail += choose(k) * x ** k * (1 - x) ** (n - k);
      expect(incompleteBeta(x, a, n - a + 1)).toBeCloseTo(tail, 11);
    }
  }
});
