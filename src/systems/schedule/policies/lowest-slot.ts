// Start in the cleanest step of the allowed range, however long the job is (GAIA, ASPLOS 2024,
// "Lowest Carbon Slot"). Needs no duration but the deadline's, and no pitch: a step is clean from its
// first second.

import { valueAt } from "../signal.ts";
import { piecesOf } from "./pieces.ts";
import { inOnePiece, type Policy } from "./policy.ts";

export const lowestSlot: Policy = {
  name: "lowest-slot",
  interrupts: "never",
  choose(work, { signal }) {
    const { earliest, latestStart } = work;
    let [best, lowest] = [earliest, valueAt(signal, earliest)];
    // The step that holds at the latest start counts, if only its first second can be used.
    for (const { start, value } of piecesOf(signal, earliest, latestStart + signal.step))
      if (start <= latestStart && value < lowest) [best, lowest] = [start, value];
    return inOnePiece(best, work);
  },
};
