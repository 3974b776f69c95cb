// Regression by a Gaussian process (Rasmussen & Williams, Gaussian Processes for Machine Learning, 2006,
// algorithm 2.1), with the Matern 5/2 kernel and one length for each axis.

import { cholesky, type Matrix, matrix, solveCholesky, solveLower } from "../../engine/index.ts";

/** What a kernel is told: length scales by axis, the variance of the function, that of the noise. */
export interface Kernel {
  readonly lengths: readonly number[];
  readonly variance: number;
  readonly noise: number;
}

/**
 * Matern 5/2: v (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r), r the distance in units of the lengths (Rasmussen
 * & Williams, equation 4.17).
 */
export function matern52(
  { lengths, variance }: Kernel,
  a: readonly number[],
  b: readonly number[],
) {
  let square = 0;
  for (let axis = 0; axis < a.length; axis++) {
    const step = ((a[axis] as number) - (b[axis] as number)) / (lengths[axis] as number);
    square += step * step;
  }
  const r = Math.sqrt(5 * square);
  return variance * (1 + r + (r * r) / 3) * Math.exp(-r);
}

/** What is believed of the function at a point, noise not included. */
export interface Belief {
  readonly mean: number;
  readonly variance: number;
}

export interface Process {
  readonly kernel: Kernel;
  at(points: readonly (readonly number[])[]): readonly Belief[];
}

/**
 * The process after observations of mean 0 before. Null when the covariances are not positive definite to
 * working precision.
 */
export function condition(
  points: readonly (readonly number[])[],
  values: readonly number[],
  kernel: Kernel,
): Process | null {
  const factor = cholesky(covariances(points, kernel));
  if (factor === null) return null;
  const weights = solveCholesky(factor, matrix(values.length, 1, values));
  return {
    kernel,
    at(asked) {
      // One column for each point that is asked for, so that the factor is gone through once.
      const cross = points.flatMap((known) => asked.map((point) => matern52(kernel, point, known)));
      const half = solveLower(factor, matrix(points.length, asked.length, cross));
      return asked.map((_, column) => {
        let [mean, explained] = [0, 0];
        for (let row = 0; row < points.length; row++) {
          const at = row * asked.length + column;
          mean += (cross[at] as number) * (weights.data[row] as number);
          explained += (half.data[at] as number) ** 2;
        }
        return { mean, variance: Math.max(0, kernel.variance - explained) };
      });
    },
  };
}

function covariances(points: readonly (readonly number[])[], kernel: Kernel): Matrix {
  const size = points.length;
  const data = new Float64Array(size * size);
  points.forEach((point, i) => {
    for (let j = 0; j <= i; j++) {
      const value = matern52(kernel, point, points[j] as readonly number[]);
      data[i * size + j] = value + (i === j ? kernel.noise : 0);
      data[j * size + i] = data[i * size + j] as number;
    }
  });
  return matrix(size, size, data);
}

/** Logarithm of the likelihood of the values (Rasmussen & Williams, equation 2.30); -Infinity if none. */
export function logLikelihood(
  points: readonly (readonly number[])[],
  values: readonly number[],
  kernel: Kernel,
): number {
  const factor = cholesky(covariances(points, kernel));
  if (factor === null) return Number.NEGATIVE_INFINITY;
  const half = solveLower(factor, matrix(values.length, 1, values));
  const fitted = half.data.reduce((sum, value) => sum + value * value, 0);
  let determinant = 0;
  for (let i = 0; i < values.length; i++) {
    determinant += 2 * Math.log(factor.data[i * values.length + i] as number);
  }
  return -(fitted + determinant + values.length * Math.log(2 * Math.PI)) / 2;
}

const LENGTHS = [0.07, 0.15, 0.3, 0.6, 1.2, 3];
const NOISES = [1e-6, 1e-3, 1e-1];

/**
 * The kernel under which standardised values are likeliest, by coordinate search over a grid: one length and
 * noise for all, then each group of axes by itself, twice. A grid does not run away where data are few.
 * `groups` gives each axis its group: those of one choice share a length. By default each is its own.
 */
export function fitKernel(
  points: readonly (readonly number[])[],
  values: readonly number[],
  groups: readonly number[] = (points[0] ?? []).map((_, axis) => axis),
): Kernel {
  const axes = groups.length;
  const count = new Set(groups).size;
  let best: Kernel = { lengths: Array(axes).fill(0.3), variance: 1, noise: 1e-3 };
  let height = Number.NEGATIVE_INFINITY;
  const consider = (kernel: Kernel): void => {
    const found = logLikelihood(points, values, kernel);
    if (found > height) [best, height] = [kernel, found];
  };
  for (const length of LENGTHS) {
    for (const noise of NOISES) consider({ lengths: Array(axes).fill(length), variance: 1, noise });
  }
  for (let sweep = 0; count > 1 && sweep < 2; sweep++) {
    for (let group = 0; group < count; group++) {
      for (const length of LENGTHS) {
        const lengths = best.lengths.map((own, axis) => (groups[axis] === group ? length : own));
        consider({ ...best, lengths });
      }
    }
  }
  for (const noise of NOISES) consider({ ...best, noise });
  return best;
}
