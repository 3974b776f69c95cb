// Small statistics that several parts need. Definitions follow the field's usual ones.

/**
 * Quantile of values sorted ascending, by linear interpolation (Hyndman & Fan 1996, type 7).
 * `p` lies in [0, 1]. Throws RangeError when there are no values.
 */
export function quantile(ascending: readonly number[], p: number): number {
  const position = (ascending.length - 1) * p;
  const below = ascending[Math.floor(position)];
  const above = ascending[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new RangeError("quantile of no values");
  return below + (above - below) * (position - Math.floor(position));
}

/** Arithmetic mean. Throws RangeError when there are no values. */
export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("mean of no values");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Middle value, the mean of the two middle ones when their number is even. */
export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

/** Unbiased sample standard deviation (divisor n - 1). Throws RangeError below two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) throw new RangeError("standard deviation of fewer than two values");
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
