// The normal distribution: density, probability and quantile.

const SQRT_2PI = Math.sqrt(2 * Math.PI);

/** Density of the standard normal distribution. */
export const normalDensity = (x: number): number => Math.exp(-(x * x) / 2) / SQRT_2PI;

/**
 * Probability below x of the standard normal distribution, to some 1e-15: the series of Marsaglia,
 * "Evaluating the Normal Distribution" (Journal of Statistical Software 11(4), 2004), and Laplace's
 * continued fraction in the tails, where the series would cancel.
 */
export function normalProbability(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x > 5) return 1 - normalProbability(-x);
  if (x < -5) return normalDensity(x) / tailFraction(-x);
  let sum = x;
  let term = x;
  for (let k = 3; sum + term !== sum; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + normalDensity(x) * sum;
}

/** The reciprocal of Mills' ratio: x + 1/(x + 2/(x + 3/(x + ...))), for x > 0. */
function tailFraction(x: number): number {
  if (!Number.isFinite(x)) return Number.POSITIVE_INFINITY;
  let value = x;
  for (let k = 100; k >= 1; k--) value = x + k / value;
  return value;
}

/**
 * The value below which a standard normal variable lies with probability p, by bisection and Newton's
 * method on `normalProbability`. Infinite at 0 and 1; throws RangeError outside.
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a probability of ${p}`);
  if (p === 0) return Number.NEGATIVE_INFINITY;
  if (p === 1) return Number.POSITIVE_INFINITY;
  let [low, high] = [-39, 39];
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (normalProbability(middle) < p) low = middle;
    else high = middle;
  }
  const x = (low + high) / 2;
  return x - (normalProbability(x) - p) / normalDensity(x);
}
