// What a few readings tell that names do not: counters that are one counter seen twice, a counter
// that disagrees with a power sensor of the same device, a platform that reads less than its parts.
// Pure: readings in, verdicts out.

import { TRUSTED_RATIO } from "./gpu-counter.ts";
import type { Reading, Sensor } from "./sensor.ts";

/** Readings by sensor id, oldest first. */
export type History = ReadonlyMap<string, readonly Reading[]>;

/** Counters within this relative distance of each other are equal. */
const EQUAL = 1e-6;
/** Deltas that must agree before two counters are called one. */
const EQUAL_DELTAS = 3;
/**
 * A counter's value must exceed what it moved by this factor, so that two counters are not called
 * one because they were set to zero together.
 */
const OLD_COUNTER = 20;
/** Updates of a counter that readings must span before they say how fast it counts. */
const UPDATES_SPANNED = 4;
/** The platform may read this much less than its packages, for readings are not simultaneous. */
const PLATFORM_SHARE = 0.9;

/**
 * Counters that mirror another one, by the id of the one to keep. Dies of AMD's Zen 1 and 2 all show
 * their socket's counter (CodeCarbon issue 1274: a Threadripper 1950X at twice its power). Two
 * counters of one provider and domain are the same when they are equal now and were equally far
 * from now at each of the last samples.
 */
export function findMirrored(
  sensors: readonly Sensor[],
  history: History,
): ReadonlyMap<string, string> {
  const mirrored = new Map<string, string>();
  for (const [index, sensor] of sensors.entries()) {
    const original = sensors
      .slice(0, index)
      .find((other) => !mirrored.has(other.id) && mirrors(sensor, other, history));
    if (original !== undefined) mirrored.set(sensor.id, original.id);
  }
  return mirrored;
}

function mirrors(one: Sensor, other: Sensor, history: History): boolean {
  if (one.kind !== "counter" || other.kind !== "counter") return false;
  if (one.provider !== other.provider || one.domain !== other.domain) return false;
  const [a, b] = [history.get(one.id) ?? [], history.get(other.id) ?? []];
  if (a.length !== b.length || a.length <= EQUAL_DELTAS) return false;
  const moved = movedBy(a);
  const last = a.at(-1)?.value ?? 0;
  if (moved <= 0 || last < OLD_COUNTER * moved) return false;
  const power = moved / secondsOf(a);
  return a.every((reading, index) => {
    const twin = b[index];
    if (twin === undefined) return false;
    // Not read at one moment: the later one may have counted on, by a whole update at most.
    const late = Math.abs(Number(reading.at - twin.at)) / 1e9 + (one.updatePeriod ?? 0);
    return Math.abs(reading.value - twin.value) <= EQUAL * reading.value + power * late;
  });
}

/** Which of two sensors of one thing to keep: the first, unless it stands still and the other not. */
export function livelier(first: Sensor, second: Sensor, history: History): Sensor {
  const still = (sensor: Sensor): boolean => {
    const readings = history.get(sensor.id) ?? [];
    return (
      readings.length > EQUAL_DELTAS && spansUpdates(sensor, readings) && movedBy(readings) === 0
    );
  };
  return still(first) && history.has(second.id) && !still(second) ? second : first;
}

/**
 * Whether a counter agrees with readings of power of the same device. Null when the readings cannot
 * tell; otherwise the ratio of the two powers and whether the counter is to be trusted.
 */
export function plausibleCounter(
  counter: readonly Reading[],
  power: readonly Reading[],
  sensor: Pick<Sensor, "updatePeriod"> = {},
): { readonly plausible: boolean; readonly ratio: number } | null {
  const seconds = secondsOf(counter);
  const watts = meanPower(power);
  if (seconds <= 0 || watts === null || watts <= 0 || !spansUpdates(sensor, counter)) return null;
  const ratio = movedBy(counter) / seconds / watts;
  return { plausible: ratio >= 1 / TRUSTED_RATIO && ratio <= TRUSTED_RATIO, ratio };
}

/**
 * Why a platform counter cannot contain the packages beside it; null when it can, or when the
 * readings cannot tell. Boards that do not wire the signal leave a counter that stands still.
 */
export function doubtPlatform(
  platform: Sensor,
  packages: readonly Sensor[],
  history: History,
): string | null {
  const watts = (sensor: Sensor): number | null => {
    const readings = history.get(sensor.id) ?? [];
    if (readings.length < 2 || !spansUpdates(sensor, readings)) return null;
    return movedBy(readings) / secondsOf(readings);
  };
  const whole = watts(platform);
  const parts = packages.map(watts).filter((value) => value !== null);
  if (whole === null || parts.length === 0) return null;
  const inside = parts.reduce((sum, value) => sum + value, 0);
  if (whole >= PLATFORM_SHARE * inside) return null;
  return `it reads ${whole.toFixed(1)} W and its packages ${inside.toFixed(1)} W`;
}

/** Whether readings span enough updates: a slow counter that has not moved yet is no broken one. */
function spansUpdates(
  { updatePeriod = 0 }: Pick<Sensor, "updatePeriod">,
  readings: readonly Reading[],
): boolean {
  return secondsOf(readings) >= UPDATES_SPANNED * updatePeriod;
}

function movedBy(readings: readonly Reading[]): number {
  return (readings.at(-1)?.value ?? 0) - (readings[0]?.value ?? 0);
}

function secondsOf(readings: readonly Reading[]): number {
  return Number((readings.at(-1)?.at ?? 0n) - (readings[0]?.at ?? 0n)) / 1e9;
}

/** Mean of a series of powers by the trapezoid rule; the only reading's when there is one. */
function meanPower(readings: readonly Reading[]): number | null {
  const seconds = secondsOf(readings);
  if (seconds <= 0) return readings[0]?.value ?? null;
  const joules = readings.slice(1).reduce((sum, after, index) => {
    const before = readings[index] ?? after;
    return sum + ((before.value + after.value) / 2) * (Number(after.at - before.at) / 1e9);
  }, 0);
  return joules / seconds;
}
