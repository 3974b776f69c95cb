// The range with the least mean square error of quantisation: cutting off rare large values makes the
// steps finer for all others (Choukroun et al. 2019, arXiv 1902.06822; Banner et al. 2019, 1810.05723).

import { gridOf, type Levels, type Range } from "../grid.ts";
import { centre, type Histogram } from "./histogram.ts";

/** Shares of the observed range that are tried on each side. */
const STEPS = 40;
const LEAST_SHARE = 0.2;
/** Both ends in turn; the second round hardly changes anything. */
const ROUNDS = 2;

/** Searches both ends in turn over shares of the observed range. */
export function leastErrorRange(histogram: Histogram, observed: Range, levels: Levels): Range {
  const points = pointsOf(histogram);
  let best = { range: observed, error: errorOf(observed, points, levels) };
  for (let round = 0; round < ROUNDS; round++) {
    for (const side of ["min", "max"] as const) {
      for (let step = 0; step < STEPS; step++) {
        const share = LEAST_SHARE + ((1 - LEAST_SHARE) * step) / STEPS;
        const range = { ...best.range, [side]: observed[side] * share };
        if (observed[side] === 0) continue;
        const error = errorOf(range, points, levels);
        if (error < best.error) best = { range, error };
      }
    }
  }
  return best.range;
}

interface Points {
  readonly values: Float64Array;
  readonly counts: Float64Array;
}

/** Centres of the bins that are not empty. */
function pointsOf(histogram: Histogram): Points {
  const bins = Array.from(histogram.counts, (_, bin) => bin).filter(
    (bin) => (histogram.counts[bin] ?? 0) > 0,
  );
  return {
    values: Float64Array.from(bins, (bin) => centre(histogram, bin)),
    counts: Float64Array.from(bins, (bin) => histogram.counts[bin] ?? 0),
  };
}

/** Sum of the square errors of a round trip. */
function errorOf(range: Range, { values, counts }: Points, levels: Levels): number {
  const { scale, zeroPoint } = gridOf(range, levels);
  const { least, most } = levels;
  let sum = 0;
  for (let at = 0; at < values.length; at++) {
    const x = values[at] ?? 0;
    // Halves need no care here: either neighbour is as far away.
    const level = Math.min(most, Math.max(least, Math.round(x / scale) + zeroPoint));
    sum += (counts[at] ?? 0) * (x - scale * (level - zeroPoint)) ** 2;
  }
  return sum;
}
