import fc from "fast-check";
import { inverse, Matrix as Oracle } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { createRandom, normalProbability } from "../../core/index.ts";
import { condition, expectedImprovement, fitKernel, logLikelihood, matern52 } from "./index.ts";

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
