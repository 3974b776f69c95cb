// How often to sample: seldom enough to cost nothing, often enough to lose nothing.

import { longestInterval } from "../sensors/integrate.ts";
import type { Sensor } from "../sensors/sensor.ts";

/** Seconds between ticks, unless something below asks otherwise. */
const USUAL = 1;
/** Counters alone, in a long run: nothing happens between ticks that they do not count. */
const SLOW = { period: 10, after: 600 };
/** Power has to be seen often in a short run: ten times a second while it may still be one. */
const FAST = { period: 0.1, until: 10 };

/**
 * Seconds until the next tick, `elapsed` seconds into the run. `wanted` is the user's wish; it is
 * shortened alone where a counter would otherwise wrap unseen.
 */
export function samplingPeriod(
  sensors: readonly Pick<Sensor, "kind" | "range" | "maxPower" | "updatePeriod">[],
  elapsed: number,
  wanted?: number,
): number {
  const longest = Math.min(...sensors.map(longestInterval));
  return Math.min(longest, wanted ?? usual(sensors, elapsed));
}

function usual(sensors: readonly Pick<Sensor, "kind" | "updatePeriod">[], elapsed: number): number {
  const gauges = sensors.filter(({ kind }) => kind === "power");
  if (gauges.length === 0) return elapsed >= SLOW.after ? SLOW.period : USUAL;
  if (elapsed >= FAST.until) return USUAL;
  // A gauge that does not say how often it is renewed may be a program or a request: not hurried.
  const renewed = Math.min(...gauges.map(({ updatePeriod }) => updatePeriod ?? USUAL));
  return Math.min(USUAL, Math.max(FAST.period, renewed));
}
