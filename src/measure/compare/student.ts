// Student's t distribution, which small numbers of repeats need, and the normal one, its limit.

/** Probability that a standard normal lies further from zero than |z|: both tails. */
export function normalTails(z: number): number {
  const x = Math.abs(z) / Math.SQRT2;
  // Beyond, the tails are below 1e-19.
  if (x > 6.5) return 0;
  // erf(x) = 2/sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!; all terms are positive
  // (Abramowitz & Stegun 1964, 7.1.6).
  let term = x;
  let sum = x;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return Math.max(0, 1 - (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum);
}

/**
 * Probability that Student's t with `freedom` degrees of freedom lies further from zero than |t|:
 * I_x(freedom/2, 1/2) with x = freedom / (freedom + t^2) (Abramowitz & Stegun 1964, 26.7.1).
 * `freedom` is positive and need not be whole; Infinity is the normal distribution.
 */
export function studentTails(t: number, freedom: number): number {
  if (!(freedom > 0)) throw new RangeError(`degrees of freedom: ${freedom}`);
  if (freedom > 1e6) return normalTails(t);
  const square = t * t;
  // Near zero the tails are nearly 1, and the small middle is what can be computed exactly.
  if (square < freedom) return 1 - incompleteBeta(square / (freedom + square), 0.5, freedom / 2);
  return incompleteBeta(freedom / (freedom + square), freedom / 2, 0.5);
}

/** The t that both tails together exceed with probability `tails`, in (0, 1). */
export function studentQuantile(tails: number, freedom: number): number {
  if (!(tails > 0 && tails < 1)) throw new RangeError(`probability: ${tails}`);
  let high = 1;
  while (studentTails(high, freedom) > tails) high *= 2;
  let low = 0;
  // Halving 60 times leaves nothing of the interval but rounding.
  for (let halving = 0; halving < 60; halving++) {
    const middle = (low + high) / 2;
    if (studentTails(middle, freedom) > tails) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Regularised incomplete beta function I_x(a, b), by its continued fraction (DLMF 8.17.22). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges quickly on this side; the other follows by symmetry.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x),
  );
  return (front / a) * betaFraction(x, a, b);
}

/** The continued fraction 1/(1+ d1/(1+ d2/(1+ ...))), evaluated by the modified Lentz method. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let result = d;
  for (let m = 1; m < 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    result *= c * d;
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    result *= c * d;
    if (Math.abs(c * d - 1) < 1e-15) break;
  }
  return result;
}

/** Coefficients for g = 7, n = 9 of the approximation of Lanczos (1964), by P. Godfrey. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
];

/** Natural logarithm of the gamma function for x >= 0.5; relative error about 1e-15. */
export function logGamma(x: number): number {
  const z = x - 1;
  const shifted = z + 7.5;
  const series = LANCZOS.reduce((sum, c, i) => (i === 0 ? c : sum + c / (z + i)), 0);
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(shifted) - shifted + Math.log(series);
}
