// Start in the cleanest step of the allowed range, however long the job is (GAIA, ASPLOS 2024,
// "Lowest Carbon Slot"). Needs no duration but the deadline's.

import { valueAt } from "../signal.ts";
import { candidateStarts } from "./candidates.ts";
import { inOnePiece, type Policy } from "./policy.ts";

export const lowestSlot: Policy = {
  name: "lowest-slot",
  choose(work, forecast) {
    let [best, lowest] = [work.earliest, Infinity];
    for (const start of candidateStarts({ ...work, duration: [] }, forecast)) {
      const value = valueAt(forecast.signal, start);
      if (value < lowest) [best, lowest] = [start, value];
    }
    return inOnePiece(best, work);
  },
};
