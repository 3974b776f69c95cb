// Let's Wait Awhile (Wiesner et al., Middleware 2021). Non-interrupting: the window of lowest mean, tried
// at every step of the forecast. Interrupting: the cleanest steps, wherever they lie, at no cost of
// stopping; the lower bound of every policy that pays for it.

import { lowestWindow } from "./lowest-window.ts";
import { joined, type Piece, piecesOf } from "./pieces.ts";
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
    const dearest = dearestNeeded(pieces, plannedS);
    // All that is cleaner runs; what is left is taken from the dearest pieces, earliest first.
    let left = plannedS;
    for (const { start, end, value } of pieces) if (value < dearest) left -= end - start;
    const runs: Run[] = [];
    for (const { start, end, value } of pieces) {
      const length =
        value < dearest ? end - start : value === dearest ? Math.min(left, end - start) : 0;
      if (value === dearest) left -= length;
      if (length > 0) runs.push({ start, end: start + length });
    }
    return joined(runs);
  },
};

/** The least value such that the pieces up to it last `wantedS` seconds. */
function dearestNeeded(pieces: readonly Piece[], wantedS: number): number {
  // Plain arrays of numbers, filled by hand: a study asks this a hundred thousand times.
  const values = new Float64Array(pieces.length);
  const lengths = new Float64Array(pieces.length);
  for (const [at, { start, end, value }] of pieces.entries()) {
    values[at] = value;
    lengths[at] = end - start;
  }
  const ascending = values.slice().sort();
  let [low, high] = [0, ascending.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    const limit = ascending[middle] ?? Number.NaN;
    let lasting = 0;
    for (let at = 0; at < values.length; at++)
      if ((values[at] ?? Number.NaN) <= limit) lasting += lengths[at] ?? 0;
    if (lasting >= wantedS) high = middle;
    else low = middle + 1;
  }
  return ascending[low] ?? Number.NaN;
}
