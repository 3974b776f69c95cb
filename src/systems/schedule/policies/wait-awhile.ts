// Let's Wait Awhile (Wiesner et al., Middleware 2021). Non-interrupting: the window of lowest mean, tried
// at every step of the forecast. Interrupting: the cleanest steps, wherever they lie, at no cost of
// stopping; the lower bound of every policy that pays for it.

import { lowestWindow } from "./lowest-window.ts";
import { joined, piecesOf } from "./pieces.ts";
import type { Policy, Run } from "./policy.ts";

export const waitAwhile: Policy = {
  name: "wait-awhile",
  interrupts: "never",
  choose: (work, forecast) =>
    lowestWindow.choose({ pitchS: forecast.signal.step, ...work }, forecast),
};

export const waitAwhileInterrupting: Policy = {
  name: "wait-awhile-interrupting",
  interrupts: "free",
  choose({ earliest, latestStart, plannedS }, { signal }) {
    const pieces = piecesOf(signal, earliest, latestStart + plannedS);
    const cleanestFirst = pieces.sort((a, b) => a.value - b.value || a.start - b.start);
    const runs: Run[] = [];
    let left = plannedS;
    for (const { start, end } of cleanestFirst) {
      if (left <= 0) break;
      const length = Math.min(left, end - start);
      runs.push({ start, end: start + length });
      left -= length;
    }
    return joined(runs);
  },
};
