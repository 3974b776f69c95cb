// What a run costs when both time and energy count (Zeus, NSDI 2023, equation 2):
// eta x energy + (1 - eta) x highest power x time, in joules. eta 1 is energy alone, 0 time alone.

import type { EpochProfile } from "./workload.ts";

/** Weight of energy against time. */
export interface Preference {
  /** In [0, 1]. */
  readonly eta: number;
  /** Watts that turn seconds into joules: the device's highest limit. */
  readonly highestLimit: number;
}

/** Cost in joules of a time and an energy. */
export const costOf = (
  { eta, highestLimit }: Preference,
  seconds: number,
  joules: number,
): number => eta * joules + (1 - eta) * highestLimit * seconds;

/** Cost of one epoch at a power limit. */
export const epochCost = (preference: Preference, { seconds, watts }: EpochProfile): number =>
  costOf(preference, seconds, seconds * watts);

/** The power limit of least cost an epoch (equation 7): what profiling within the first epoch finds. */
export function bestLimit(preference: Preference, profiles: readonly EpochProfile[]): EpochProfile {
  const [first, ...rest] = profiles;
  if (first === undefined) throw new RangeError("no power limit was profiled");
  return rest.reduce(
    (low, one) => (epochCost(preference, one) < epochCost(preference, low) ? one : low),
    first,
  );
}
