import { expect, test } from "vitest";
import { createRandom } from "./random.ts";
import { mean, quantile, standardDeviation } from "./statistics.ts";

test("one seed gives one sequence, another seed another", () => {
  const draw = (seed: number) => {
    const random = createRandom(seed);
    return Array.from({ length: 5 }, () => random.uniform());
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test("uniform and normal numbers have the moments of their distributions", () => {
  const random = createRandom(1);
  const uniform = Array.from({ length: 20_000 }, () => random.uniform());
  expect(Math.min(...uniform)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...uniform)).toBeLessThan(1);
  expect(mean(uniform)).toBeCloseTo(1 / 2, 1);
  expect(standardDeviation(uniform)).toBeCloseTo(Math.sqrt(1 / 12), 2);

  const normal = Array.from({ length: 20_000 }, () => random.normal()).sort((a, b) => a - b);
  expect(Math.abs(mean(normal))).toBeLessThan(0.03);
  expect(standardDeviation(normal)).toBeCloseTo(1, 1);
  expect(quantile(normal, 0.95)).toBeCloseTo(1.645, 1);
});

test("integers below a bound are all drawn, about equally often", () => {
  const random = createRandom(3);
  const counts = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < 6000; i++) {
    const face = random.integer(6);
    counts[face] = (counts[face] ?? 0) + 1;
  }
  // Chi-squared with 5 degrees of freedom: the 99.9 % point is 20.5.
  const chi2 = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
  expect(chi2).toBeLessThan(20.5);
});
