// Run where it is cleanest: for each zone the time-shifting policy's choice, the energy of moving the
// data there, and the latency of starting there; then the least of them. Home wins ties.

import { type Exposure, gramsOf } from "../exposure.ts";
import type { Placement } from "../job.ts";
import { valueAt } from "../signal.ts";
import type { ScaledRun } from "./carbon-scaler.ts";
import { exposureOfRuns } from "./cost.ts";
import type { Policy, Work } from "./policy.ts";

/** A zone that is open to the work: what going there takes, and the forecast there. */
export interface Place {
  readonly placement: Placement;
  readonly forecast: Exposure;
  /** The work as it can be done there: later by the start latency. */
  readonly work: Work;
}

/** What is done in a place: when, on how many nodes, and what that is expected to emit. */
export interface Timing {
  readonly runs: readonly ScaledRun[];
  /** Of the work alone, gCO2e. */
  readonly runGrams: number;
}

/** Where and when, and what that is expected to emit. */
export interface PlaceChoice extends Timing {
  readonly place: Place;
  /** Of moving the data, half at each end's intensity, gCO2e. */
  readonly transferGrams: number;
}

/** The timing of a policy, on one node. */
export const timedBy =
  (policy: Policy) =>
  ({ work, forecast }: Place): Timing => {
    const runs = policy.choose(work, forecast);
    return {
      runs: runs.map((run) => ({ ...run, nodes: 1 })),
      runGrams: gramsOf(work.watts, exposureOfRuns(work, runs, forecast)),
    };
  };

/** The best place by expected emissions. The first of the places is home. */
export function placeShift(
  places: readonly [Place, ...Place[]],
  timing: (place: Place) => Timing,
): PlaceChoice {
  const [home] = places;
  const choices = places.map(
    (place): PlaceChoice => ({
      place,
      ...timing(place),
      transferGrams: transferGrams(place, home),
    }),
  );
  const total = ({ runGrams, transferGrams }: PlaceChoice): number => runGrams + transferGrams;
  return choices.reduce((best, one) => (total(one) < total(best) ? one : best));
}

function transferGrams({ placement, forecast, work }: Place, home: Place): number {
  const energy = placement.bytes * placement.joulesPerByte;
  if (energy === 0) return 0;
  const leaving = home.work.earliest - home.placement.startLatencyS;
  const ends = [
    valueAt(home.forecast.signal, leaving),
    valueAt(forecast.signal, work.earliest - placement.startLatencyS),
  ];
  return ends.reduce((sum, intensity) => sum + gramsOf(energy / 2, intensity), 0);
}
