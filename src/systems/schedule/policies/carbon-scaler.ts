// Run on more nodes when the grid is clean (CarbonScaler, SIGMETRICS 2024). Greedy by marginal work for
// each gram: node k of a step adds curve[k] - curve[k - 1] work at the step's intensity. Optimal for
// concave curves, where the k-th node never adds more than the one before; others are refused.

import { UserError } from "../../../core/index.ts";
import type { Exposure } from "../exposure.ts";
import type { ScaleCurve } from "../job.ts";
import { piecesOf } from "./pieces.ts";
import type { Run, Work } from "./policy.ts";

/** A run on a number of nodes. */
export interface ScaledRun extends Run {
  readonly nodes: number;
}

interface Increment extends Run {
  readonly node: number;
  readonly gain: number;
  /** gCO2e/kWh for a unit of work. */
  readonly price: number;
}

/** Runs whose work adds up to `plannedS` on one node, each on as many nodes as pay. */
export function scaleByMargin(
  { earliest, latestStart, plannedS }: Work,
  curve: ScaleCurve,
  { signal }: Exposure,
): readonly ScaledRun[] {
  requireConcave(curve);
  const increments = piecesOf(signal, earliest, latestStart + plannedS).flatMap(
    ({ start, end, value }) =>
      curve.map((work, at): Increment => {
        const gain = work - (curve[at - 1] ?? 0);
        return { start, end, node: at + 1, gain, price: value / gain };
      }),
  );
  const cheapestFirst = increments
    .filter(({ gain }) => gain > 0)
    .sort((a, b) => a.price - b.price || a.start - b.start || a.node - b.node);
  const taken: Increment[] = [];
  let left = plannedS;
  for (const one of cheapestFirst) {
    if (left <= 0) break;
    const length = Math.min(one.end - one.start, left / one.gain);
    taken.push({ ...one, end: one.start + length });
    left -= length * one.gain;
  }
  return stacked(taken);
}

function requireConcave(curve: ScaleCurve): void {
  const gains = curve.map((work, at) => work - (curve[at - 1] ?? 0));
  const rise = gains.findIndex((gain, at) => at > 0 && gain > (gains[at - 1] ?? 0) + 1e-12);
  if (curve[0] === 1 && rise === -1) return;
  throw new UserError(
    "invalid-input",
    `the scale curve ${curve.join(", ")} is not concave from 1`,
    {
      hint: `Node ${rise + 1} may not add more work than the one before it; leave such points out.`,
    },
  );
}

/** Increments of one step laid over each other; the last, partial one is shorter than its step. */
function stacked(taken: readonly Increment[]): readonly ScaledRun[] {
  const starts = [...new Set(taken.map(({ start }) => start))].sort((a, b) => a - b);
  return starts.flatMap((start) => {
    const layers = taken.filter((layer) => layer.start === start);
    const borders = [...new Set(layers.map(({ end }) => end))].sort((a, b) => a - b);
    return borders.map((end, at) => ({
      start: borders[at - 1] ?? start,
      end,
      nodes: layers.filter((layer) => layer.end >= end).length,
    }));
  });
}
