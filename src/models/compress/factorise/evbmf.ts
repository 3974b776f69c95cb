// Rank of a noisy matrix by the analytic solution of empirical variational Bayesian matrix factorisation
// (Nakajima, Sugiyama, Babacan & Tomioka, "Global analytic solution of fully-observed variational
// Bayesian matrix factorization", JMLR 14, 2013). It tells signal from noise, not what accuracy needs.

/** What the singular values say of the noise. */
export interface EvbmfRank {
  readonly rank: number;
  /** Variance of the noise in one element. */
  readonly noiseVariance: number;
  /** Values above this are signal. */
  readonly threshold: number;
  /** The values that are kept, freed from the noise in them. */
  readonly shrunk: Float64Array;
}

/** From the singular values of a rows x columns matrix, falling. */
export function evbmf(values: Float64Array, rows: number, columns: number): EvbmfRank {
  const l = Math.min(rows, columns);
  const m = Math.max(rows, columns);
  const alpha = l / m;
  const tauBar = 2.5129 * Math.sqrt(alpha);
  const xBar = (1 + tauBar) * (1 + alpha / tauBar);
  const squares = Float64Array.from(values.subarray(0, l), (value) => value ** 2);
  const noiseVariance = noiseOf(squares, { l, m, alpha, xBar });
  const threshold = Math.sqrt(m * noiseVariance * xBar);
  const rank = values.findIndex((value) => value <= threshold);
  const kept = rank < 0 ? values.length : rank;
  return {
    rank: kept,
    noiseVariance,
    threshold,
    shrunk: values.slice(0, kept).map((value) => shrink(value, { l, m, noiseVariance })),
  };
}

interface Sizes {
  readonly l: number;
  readonly m: number;
  readonly alpha: number;
  readonly xBar: number;
}

/** Theorem 2 of the paper: the variance that minimises the free energy, between its two bounds. */
function noiseOf(squares: Float64Array, sizes: Sizes): number {
  const { l, m, alpha, xBar } = sizes;
  const first = Math.min(Math.ceil(l / (1 + alpha)) - 1, squares.length) - 1;
  const total = squares.reduce((sum, square) => sum + square, 0);
  const rest = squares.subarray(first + 1);
  const restMean = rest.reduce((sum, square) => sum + square, 0) / Math.max(1, rest.length);
  const high = total / (l * m);
  const low = Math.max((squares[first + 1] ?? 0) / (m * xBar), restMean / m);
  if (!(high > low) || low <= 0) return Math.max(low, high, Number.MIN_VALUE);
  return minimise((variance) => freeEnergy(squares, variance, sizes), low, high);
}

function freeEnergy(squares: Float64Array, variance: number, { l, m, alpha, xBar }: Sizes): number {
  let energy = (l - squares.length) * Math.log(variance);
  for (const square of squares) {
    const x = square / (m * variance);
    if (x <= xBar) {
      energy += x - Math.log(Math.max(x, Number.MIN_VALUE));
      continue;
    }
    const tau = tauOf(x, alpha);
    energy += x - tau + Math.log((tau + 1) / x) + alpha * Math.log(tau / alpha + 1);
  }
  return energy;
}

function tauOf(x: number, alpha: number): number {
  const centred = x - (1 + alpha);
  return (centred + Math.sqrt(Math.max(0, centred ** 2 - 4 * alpha))) / 2;
}

/** Equation for the posterior mean of a value that is kept. */
function shrink(
  value: number,
  {
    l,
    m,
    noiseVariance,
  }: { readonly l: number; readonly m: number; readonly noiseVariance: number },
): number {
  const noise = ((l + m) * noiseVariance) / value ** 2;
  const root = Math.sqrt((1 - noise) ** 2 - (4 * l * m * noiseVariance ** 2) / value ** 4);
  return (value / 2) * (1 - noise + root);
}

/** Points of the first look: the free energy may have several valleys. */
const LOOKS = 200;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** The least point of a function of one variable: the best of a geometric grid, refined. */
function minimise(of: (x: number) => number, low: number, high: number): number {
  const grid = Array.from({ length: LOOKS }, (_, i) => low * (high / low) ** (i / (LOOKS - 1)));
  const at = grid.reduce((best, x, i) => (of(x) < of(grid[best] ?? x) ? i : best), 0);
  let [a, b] = [grid[Math.max(0, at - 1)] ?? low, grid[Math.min(LOOKS - 1, at + 1)] ?? high];
  while (b - a > 1e-9 * b) {
    const [left, right] = [b - GOLDEN * (b - a), a + GOLDEN * (b - a)];
    if (of(left) < of(right)) b = right;
    else a = left;
  }
  return (a + b) / 2;
}
