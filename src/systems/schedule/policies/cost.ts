// What chosen runs are expected to emit, with the duration's distribution and the price of stopping.

import { expectedOver } from "../duration.ts";
import { between, type Exposure } from "../exposure.ts";
import { FREE_INTERRUPTION } from "../job.ts";
import { valueAt } from "../signal.ts";
import type { Run, Work } from "./policy.ts";

/**
 * Expected exposure (gCO2e/kWh x s of running) of runs as a policy returned them: work that ends sooner
 * than planned leaves the last runs unused. Restarts and checkpoints count as the seconds of running
 * that their joules would pay for.
 */
export function exposureOfRuns(work: Work, runs: readonly Run[], forecast: Exposure): number {
  return expectedOver(work.duration, (seconds) =>
    exposureFor(Math.min(seconds, work.plannedS), work, runs, forecast),
  );
}

function exposureFor(
  seconds: number,
  work: Work,
  runs: readonly Run[],
  forecast: Exposure,
): number {
  const { checkpointS, checkpointJ, restartS, restartJ } = work.interruption ?? FREE_INTERRUPTION;
  let [left, spent] = [seconds, 0];
  for (const [index, { start, end }] of runs.entries()) {
    if (left <= 0) break;
    const coming = index === 0 ? 0 : restartS;
    const going = index === runs.length - 1 ? 0 : checkpointS;
    if (index > 0) spent += (restartJ / work.watts) * valueAt(forecast.signal, start);
    const progress = Math.min(left, end - start - coming - going);
    left -= progress;
    const ended = left <= 0;
    const until = ended ? start + coming + progress : end;
    spent += between(forecast, start, until);
    if (!ended && index < runs.length - 1)
      spent += (checkpointJ / work.watts) * valueAt(forecast.signal, end - going);
  }
  return spent;
}
