// One machine's energy as several runs saw it. Runs that overlap in time each counted the whole machine
// (their gross energy), so their sum counts the overlap twice. Method: docs/methods/merge.md.

import type { Card } from "../../core/card.ts";
import { type Figure, figure } from "../../core/index.ts";
import { addFigures } from "./add.ts";

/** What one run says that a thing used, and when. Milliseconds since 1970. */
export interface Claim {
  readonly from: number;
  readonly to: number;
  readonly energy: Figure<"J">;
}

export const claimOf = (card: Card, energy: Figure<"J">): Claim => ({
  from: Date.parse(card.startedAt),
  to: Date.parse(card.endedAt),
  energy,
});

/** Runs in groups: of two groups none overlaps. Runs that only touch do not overlap. */
export function clusters<T extends Pick<Claim, "from" | "to">>(
  items: readonly T[],
): readonly (readonly T[])[] {
  const groups: T[][] = [];
  let end = Number.NEGATIVE_INFINITY;
  for (const item of [...items].sort((a, b) => a.from - b.from || a.to - b.to)) {
    const last = groups.at(-1);
    if (last !== undefined && item.from < end) last.push(item);
    else groups.push([item]);
    end = Math.max(end, item.to);
  }
  return groups;
}

/** Energy of one thing over all the time that the claims cover, each moment counted once. */
export function unionEnergy(claims: readonly Claim[], source: string): Figure<"J"> {
  return addFigures("J", clusters(claims).map(clusterEnergy), source);
}

/**
 * Of claims that overlap. One that covers all the others, and saw no less, is the answer. Otherwise each
 * run's mean power stands for its moments; where several claim a moment, the highest does, since each
 * saw the same machine. What they saw differs by where in the run it was: no less than the largest
 * claim, no more than all of them.
 */
function clusterEnergy(claims: readonly Claim[]): Figure<"J"> {
  const from = Math.min(...claims.map((claim) => claim.from));
  const to = Math.max(...claims.map((claim) => claim.to));
  const covering = claims
    .filter((claim) => claim.from === from && claim.to === to)
    .sort((a, b) => b.energy.value - a.energy.value);
  const [whole] = covering;
  if (whole !== undefined) {
    const others = claims.filter((claim) => claim !== whole);
    const seen = others.length === 0 ? 0 : unionEnergy(others, "the others").value;
    if (whole.energy.value >= seen) return whole.energy;
  }
  const moments = [...new Set(claims.flatMap((claim) => [claim.from, claim.to]))].sort(
    (a, b) => a - b,
  );
  let joules = 0;
  for (const [index, start] of moments.slice(0, -1).entries()) {
    const end = moments[index + 1] ?? start;
    const powers = claims
      .filter((claim) => claim.from <= start && claim.to >= end)
      .map((claim) => claim.energy.value / (claim.to - claim.from));
    joules += Math.max(0, ...powers) * (end - start);
  }
  const low = Math.min(joules, Math.max(...claims.map(({ energy }) => energy.low)));
  const high = Math.max(
    joules,
    claims.reduce((sum, { energy }) => sum + energy.high, 0),
  );
  return figure(
    "J",
    joules,
    { low, high },
    {
      method: "estimated",
      source: `${claims.length} overlapping runs, each moment counted once (${claims[0]?.energy.source})`,
      fallbacks: [...new Set(claims.flatMap(({ energy }) => energy.fallbacks))],
    },
  );
}
