// Run while the grid is cleaner than the 30th percentile of the coming day, wait otherwise, and stop
// waiting when the allowance is used up (Ecovisor, ASPLOS 2023, as GAIA, ASPLOS 2024, replays it).

import { joined, type Piece, piecesOf } from "./pieces.ts";
import type { Policy, Run } from "./policy.ts";

const DAY = 86_400;
const SHARE = 0.3;

export const ecovisor: Policy = {
  name: "ecovisor",
  interrupts: "free",
  choose(work, { signal }) {
    const { earliest, latestStart, plannedS } = work;
    const threshold = percentile(piecesOf(signal, earliest, earliest + DAY), SHARE);
    const runs: Run[] = [];
    let [left, wait] = [plannedS, latestStart - earliest];
    for (const { start, end, value } of piecesOf(signal, earliest, latestStart + plannedS)) {
      const from = value < threshold ? start : Math.min(end, start + wait);
      wait -= from - start;
      const until = Math.min(end, from + left);
      if (until > from) runs.push({ start: from, end: until });
      left -= until - from;
      if (left <= 0) break;
    }
    return joined(runs);
  },
};

/** The value below or at which the grid is for a share of the time. */
function percentile(pieces: readonly Piece[], share: number): number {
  const ascending = [...pieces].sort((a, b) => a.value - b.value);
  const whole = ascending.reduce((sum, { start, end }) => sum + end - start, 0);
  let covered = 0;
  for (const { start, end, value } of ascending) {
    covered += end - start;
    if (covered >= share * whole) return value;
  }
  return Infinity;
}
