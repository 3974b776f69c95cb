// Exact bounds of proportions.

/** P(X <= k) of a binomial variable, by summing its terms in logarithms. */
export function binomialCdf(k: number, trials: number, p: number): number {
  if (k >= trials) return 1;
  if (p <= 0) return 1;
  if (p >= 1) return 0;
  const [logP, logQ] = [Math.log(p), Math.log1p(-p)];
  let coefficient = 0;
  let sum = 0;
  for (let i = 0; i <= k; i++) {
    if (i > 0) coefficient += Math.log((trials - i + 1) / i);
    sum += Math.exp(coefficient + i * logP + (trials - i) * logQ);
  }
  return Math.min(1, sum);
}

/** Upper bound of a proportion that is too low with probability `alpha` at most (Clopper & Pearson 1934). */
export function upperProportion(successes: number, trials: number, alpha: number): number {
  if (successes >= trials) return 1;
  let [low, high] = [successes / trials, 1];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (binomialCdf(successes, trials, middle) > alpha) low = middle;
    else high = middle;
  }
  return high;
}
