// A share of samples, for metrics that a sample passes or fails.

import { wilsonInterval } from "./interval.ts";
import type { Quality } from "./metric.ts";

/** The quality of hits that are 0 or 1. */
export function proportion(metric: string, hits: Float64Array): Quality {
  const successes = hits.reduce((sum, hit) => sum + hit, 0);
  return {
    metric,
    value: successes / hits.length,
    interval: wilsonInterval(successes, hits.length),
    samples: hits.length,
    scores: hits,
  };
}
