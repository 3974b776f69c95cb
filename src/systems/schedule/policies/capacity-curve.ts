// The knob of a cluster's owner: how many nodes may be busy in each hour, low when the grid is dirty,
// so that a day's flexible work still fits (the virtual capacity curves of Radovanovic et al.,
// "Carbon-Aware Computing for Datacenters", arXiv 2106.11750). Fractional filling, cleanest hour first,
// which is optimal for one resource.

import { UserError } from "../../../core/index.ts";

/** What has to fit under a curve. */
export interface Demand {
  /** Nodes that are busy whatever the curve says, for each slot. */
  readonly inflexible: ArrayLike<number>;
  /** Node-slots that may run at any time of the horizon. */
  readonly flexible: number;
  /** Share of the flexible work that is added as room for what was not foreseen: 0.1 is 10 %. */
  readonly margin: number;
}

/** Nodes that may be busy in each slot, between the inflexible load and `nodes`. */
export function capacityCurve(
  intensity: ArrayLike<number>,
  { inflexible, flexible, margin }: Demand,
  nodes: number,
): Float64Array {
  const curve = Float64Array.from({ length: intensity.length }, (_, slot) => inflexible[slot] ?? 0);
  const over = curve.findIndex((load) => load > nodes);
  if (over !== -1)
    throw new UserError("invalid-input", `slot ${over} has more fixed load than nodes`, {
      hint: `Give more than ${nodes} nodes, or move fixed load to the flexible work.`,
    });
  const cleanestFirst = [...curve.keys()].sort(
    (a, b) => (intensity[a] ?? NaN) - (intensity[b] ?? NaN) || a - b,
  );
  let left = flexible * (1 + margin);
  for (const slot of cleanestFirst) {
    const room = Math.min(left, nodes - (curve[slot] ?? 0));
    curve[slot] = (curve[slot] ?? 0) + room;
    left -= room;
  }
  if (left > 1e-9)
    throw new UserError("invalid-input", `${left.toFixed(1)} node-slots do not fit`, {
      hint: "Give more nodes, a longer horizon or a smaller margin.",
    });
  return curve;
}
