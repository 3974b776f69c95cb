// Which units go: a share of each group, or the least of several groups ranked together; always whole
// blocks, since ONNX Runtime's blocked kernels lose their layout at other widths (compress.md 0.8).

import { UserError } from "../../../core/index.ts";
import { greatestDivisor } from "../greatest-divisor.ts";
import { hasRole, type PruningGroup } from "./groups.ts";
import { normalisedScores } from "./importance.ts";

/** `isomorphic`: ranked together only with groups of the same topology (Fang et al., ECCV 2024). */
export type Scope = "local" | "global" | "isomorphic";

export interface Selection {
  /** Share of the units to remove, of all groups or by their names; groups not named stay whole. */
  readonly ratio: number | Readonly<Record<string, number>>;
  readonly scope: Scope;
  /** Channels of a layer are kept in multiples of this. */
  readonly align: number;
}

/** Units to remove of each group, least important first. */
export function selectUnits(
  groups: readonly PruningGroup[],
  scores: readonly Float64Array[],
  selection: Selection,
): readonly (readonly number[])[] {
  const wanted = wantedCounts(groups, scores, selection);
  return groups.map((group, at) => {
    const kept = keptUnits(group, group.size - (wanted[at] ?? 0), selection.align);
    return ranking(scores[at] ?? new Float64Array()).slice(0, group.size - kept);
  });
}

/** How many units each group should lose, before blocks are made whole. */
function wantedCounts(
  groups: readonly PruningGroup[],
  scores: readonly Float64Array[],
  { ratio, scope }: Selection,
): readonly number[] {
  if (typeof ratio !== "number") {
    return groups.map(({ name, size }) => size * checkedRatio(ratio[name] ?? 0));
  }
  checkedRatio(ratio);
  if (scope === "local") return groups.map(({ size }) => size * ratio);
  const counts = groups.map(() => 0);
  const classes = new Map<string, { group: number; score: number }[]>();
  for (const [group, { topology }] of groups.entries()) {
    const key = scope === "global" ? "" : topology;
    const list = classes.get(key) ?? [];
    if (list.length === 0) classes.set(key, list);
    for (const score of normalisedScores(scores[group] ?? new Float64Array())) {
      list.push({ group, score });
    }
  }
  for (const units of classes.values()) {
    const least = units.toSorted((a, b) => a.score - b.score);
    for (const { group } of least.slice(0, Math.round(units.length * ratio))) {
      counts[group] = (counts[group] ?? 0) + 1;
    }
  }
  return counts;
}

function checkedRatio(ratio: number): number {
  if (ratio >= 0 && ratio < 1) return ratio;
  throw new UserError("usage", `a share of ${ratio} cannot be removed`, {
    hint: "Give a number from 0 to below 1, such as 0.5.",
  });
}

/** The nearest whole number of blocks, at least one, where it is fewer than all. */
function keptUnits(group: PruningGroup, wanted: number, align: number): number {
  const block = align / greatestDivisor(align, channelsPerUnit(group));
  const kept = Math.max(1, Math.round(wanted / block)) * block;
  return Math.min(group.size, kept);
}

/** Channels of a layer that one unit stands for: 1, or those of a head or of a convolution's group. */
function channelsPerUnit({ members }: PruningGroup): number {
  const made = members.filter((member) => hasRole(member, "produces"));
  return Math.min(...made.map(({ indices }) => indices[0]?.length ?? 1));
}

/** Units from the least important on; equal ones in their order. */
const ranking = (scores: Float64Array): readonly number[] =>
  [...scores.keys()].sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0) || a - b);
