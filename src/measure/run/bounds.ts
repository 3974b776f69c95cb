// What the subject's energy may be. Every assumption behind the split is moved to its limits alone;
// the distances that this makes, and the sensor's own error, add in quadrature, each side for itself.

import { combinedMethod, type Figure, figure } from "../../core/index.ts";
import { attributedOf, netOf, type Parts, unattributedOf } from "./attribution.ts";
import { AS_STATED, type Assumptions, type Level, type SplitContext, splitTrack } from "./split.ts";
import type { Track } from "./timeline.ts";

/** A sensor's energy that is the subject's. */
export interface Owned {
  readonly net: Figure<"J">;
  readonly attributed: Figure<"J">;
  /** As stated, by interval. */
  readonly parts: readonly Parts[];
}

const CAUSES = Object.keys(AS_STATED) as readonly (keyof Assumptions)[];
const LIMITS = ["low", "high"] as const satisfies readonly Level[];

/** The subject's part of a sensor's energy with its interval; null when it cannot be told. */
export function ownedEnergy(
  track: Track,
  energy: Figure<"J">,
  context: SplitContext,
): Owned | null {
  const parts = splitTrack(track, context);
  if (parts === null) return null;
  const moved = CAUSES.map((cause) =>
    LIMITS.flatMap((level) => {
      const alternative = splitTrack(track, context, { ...AS_STATED, [cause]: level });
      return alternative === null ? [] : [alternative];
    }),
  );
  const whole = parts.every((part) => unattributedOf(part) === 0);
  const origin = {
    method: whole ? energy.method : combinedMethod([energy.method, "estimated"]),
    source: whole ? energy.source : `${energy.source}; split by use`,
    fallbacks: energy.fallbacks,
  };
  const bounded = (select: (part: Parts) => number): Figure<"J"> => {
    const value = addUp(parts, select);
    const error = {
      down: energy.value === 0 ? 0 : value * (1 - energy.low / energy.value),
      up: energy.value === 0 ? energy.high : value * (energy.high / energy.value - 1),
    };
    const distances = moved.map((alternatives) => {
      const values = alternatives.map((alternative) => addUp(alternative, select));
      return { down: value - Math.min(value, ...values), up: Math.max(value, ...values) - value };
    });
    const down = Math.hypot(error.down, ...distances.map((distance) => distance.down));
    const up = Math.hypot(error.up, ...distances.map((distance) => distance.up));
    // Nobody can own more than there is.
    const high = Math.max(value, Math.min(value + up, energy.high));
    return figure("J", value, { low: Math.max(0, value - down), high }, origin);
  };
  return { net: bounded(netOf), attributed: bounded(attributedOf), parts };
}

export function addUp(parts: readonly Parts[], select: (part: Parts) => number): number {
  let sum = 0;
  for (const part of parts) sum += select(part);
  return sum;
}
