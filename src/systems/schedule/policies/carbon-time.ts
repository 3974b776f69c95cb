// Start where most carbon is saved for each second until the end (GAIA, ASPLOS 2024, "Carbon-Time"):
// the largest (C(now) - C(t)) / (t - now + duration). It waits only as long as waiting pays.

import { meanDuration } from "../duration.ts";
import { expectedExposure } from "../exposure.ts";
import { candidateStarts } from "./candidates.ts";
import { inOnePiece, type Policy } from "./policy.ts";

export const carbonTime: Policy = {
  name: "carbon-time",
  interrupts: "never",
  choose(work, forecast) {
    const length = meanDuration(work.duration);
    const now = expectedExposure(forecast, work.earliest, work.duration);
    let [best, highest] = [work.earliest, 0];
    for (const start of candidateStarts(work, forecast)) {
      const saved = now - expectedExposure(forecast, start, work.duration);
      const rate = saved / (start - work.earliest + length);
      if (rate > highest) [best, highest] = [start, rate];
    }
    return inOnePiece(best, work);
  },
};
