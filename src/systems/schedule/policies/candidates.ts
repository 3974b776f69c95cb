// The starts that are worth trying. Intensity is constant within a step, so the emissions of a window of
// fixed length are piecewise linear in its start, and lowest where the window begins or ends at the
// border of a step, or at the ends of the allowed range.

import type { Exposure } from "../exposure.ts";
import type { Work } from "./policy.ts";

/** Candidate starts in ascending order, `earliest` first. */
export function candidateStarts(work: Work, { signal: { start, step } }: Exposure): Float64Array {
  const { earliest, latestStart, pitchS } = work;
  const span = Math.max(0, latestStart - earliest);
  if (pitchS !== undefined) {
    const starts = new Float64Array(Math.floor(span / pitchS) + 1);
    for (let at = 0; at < starts.length; at++) starts[at] = earliest + at * pitchS;
    return starts;
  }
  const [only] = work.duration;
  const length = work.duration.length === 1 && only !== undefined ? only.seconds : 0;
  const shifts = length % step === 0 ? [0] : [0, length];
  const starts = new Float64Array(shifts.length * (Math.ceil(span / step) + 1) + 2);
  starts[0] = earliest;
  let count = 1;
  for (const shift of shifts) {
    let border = start + Math.ceil((earliest + shift - start) / step) * step - shift;
    if (border <= earliest) border += step;
    for (; border < latestStart; border += step) starts[count++] = border;
  }
  if (latestStart > earliest) starts[count++] = latestStart;
  const used = starts.subarray(0, count);
  return shifts.length === 1 ? used : used.sort();
}
