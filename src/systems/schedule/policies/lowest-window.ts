// Start where the whole job is expected to emit least (GAIA, ASPLOS 2024, "Lowest Carbon Window"; the
// non-interrupting strategy of Let's Wait Awhile, Middleware 2021). The expectation is over the
// duration's distribution and costs two look-ups for each quantile and start.

import { expectedExposure } from "../exposure.ts";
import { candidateStarts } from "./candidates.ts";
import { inOnePiece, type Policy } from "./policy.ts";

/** Differences below this share are rounding of the running sums; the earlier start then stands. */
const ROUNDING = 1e-9;

export const lowestWindow: Policy = {
  name: "lowest-window",
  interrupts: "never",
  choose(work, forecast) {
    let [best, lowest] = [work.earliest, Infinity];
    for (const start of candidateStarts(work, forecast)) {
      const cost = expectedExposure(forecast, start, work.duration);
      if (lowest === Infinity || cost < lowest - ROUNDING * Math.abs(lowest))
        [best, lowest] = [start, cost];
    }
    return inOnePiece(best, work);
  },
};
