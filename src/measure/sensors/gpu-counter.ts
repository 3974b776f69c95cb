// Distrust of energy counters: what must hold before one is believed, and what to do when it falls.

import type { Host } from "../../core/index.ts";
import type { Reading } from "./sensor.ts";

/** A read that may fail; joules or watts. */
export type Read = () => Promise<number>;

/**
 * Largest ratio between a counter's power and a power sensor's that is still believed. Bounds a
 * load that changes during the check; counters that are broken are wrong by orders of magnitude
 * (ROCm/amdsmi issue 38).
 */
export const TRUSTED_RATIO = 2.5;

/**
 * Null when a counter's mean power over `milliseconds` agrees with a power sensor read before and
 * after; otherwise why the counter must not be used.
 */
export async function distrustCounter(
  host: Host,
  sensor: { readonly energy: Read; readonly power: Read; readonly milliseconds: number },
): Promise<string | null> {
  const powerBefore = await sensor.power();
  const start = host.monotonic();
  const before = await sensor.energy();
  await host.sleep(sensor.milliseconds);
  const after = await sensor.energy();
  const seconds = Number(host.monotonic() - start) / 1e9;
  const powerAfter = await sensor.power();
  const counted = (after - before) / seconds;
  const [low, high] = [Math.min(powerBefore, powerAfter), Math.max(powerBefore, powerAfter)];
  if (counted >= low / TRUSTED_RATIO && counted <= high * TRUSTED_RATIO && counted > 0) return null;
  return `energy counter says ${counted.toFixed(1)} W where the power sensor says ${high.toFixed(1)} W`;
}

/**
 * Reads of a counter that may fall. One low reading alone is a glitch and rejects; a second one that
 * goes on from it is a reset and is passed on, for the integration to see and to split there.
 */
export function guardCounter(read: () => Promise<Reading>): () => Promise<Reading> {
  let highest = Number.NEGATIVE_INFINITY;
  let fallen: number | null = null;
  return async () => {
    const reading = await read();
    if (!Number.isFinite(reading.value)) throw new Error("the counter's answer is not a number");
    const reset = fallen !== null && reading.value >= fallen;
    if (reading.value < highest && !reset) {
      fallen = reading.value;
      throw new Error(`counter fell from ${highest} J to ${reading.value} J`);
    }
    highest = reading.value;
    fallen = null;
    return reading;
  };
}

/** A reading at the middle of the time that it took to read. */
export async function readAt(host: Host, read: Read): Promise<Reading> {
  const before = host.monotonic();
  const value = await read();
  const at = (before + host.monotonic()) / 2n;
  return { at, value };
}
