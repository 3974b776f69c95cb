// The baseline: start at once, as a scheduler without a signal does.

import { inOnePiece, type Policy } from "./policy.ts";

export const runNow: Policy = {
  name: "run-now",
  interrupts: "never",
  choose: (work) => inOnePiece(work.earliest, work),
};
