// The just-in-time profile of power limits (Zeus, NSDI 2023, 4.2): while a batch size runs for the first
// time, each limit is held for a slice of its first progress, time and energy of a unit of progress are
// taken, and the rest runs at the limit of least cost. A value that is advanced by marks of progress.

import { bestLimit, type Preference } from "./cost.ts";
import type { EpochProfile } from "./workload.ts";

/** A reading at a mark of progress. */
export interface Mark {
  readonly seconds: number;
  readonly joules: number;
}

export interface Profiler {
  /** Limits still to be tried; the first is held now. Empty once all are known. */
  readonly left: readonly number[];
  readonly profiles: readonly EpochProfile[];
  /** Where the slice began; null until the limit has settled for one mark. */
  readonly from: (Mark & { readonly count: number }) | null;
}

export interface SliceOptions {
  /** Marks and seconds that a slice lasts at least. */
  readonly marks: number;
  readonly seconds: number;
}

/** A profiler that has seen nothing: the highest limit first, so that nothing is lost if it ends early. */
export const newProfiler = (limits: readonly number[]): Profiler => ({
  left: [...limits].sort((a, b) => b - a),
  ...{ profiles: [], from: null },
});

/** The profiler after a mark. The first mark after a change of limit only begins the slice. */
export function marked(of: Profiler, mark: Mark, options: SliceOptions): Profiler {
  const [limit, ...left] = of.left;
  if (limit === undefined) return of;
  if (of.from === null) return { ...of, from: { ...mark, count: 0 } };
  const count = of.from.count + 1;
  const seconds = mark.seconds - of.from.seconds;
  if (count < options.marks || seconds < options.seconds)
    return { ...of, from: { ...of.from, count } };
  const watts = (mark.joules - of.from.joules) / seconds;
  const profile = { limit, seconds: seconds / count, watts };
  return { left, profiles: [...of.profiles, profile], from: null };
}

/**
 * The limit to run with: of those whose progress is at most `slowdown` slower than that of the highest limit
 * (0.05 is 5 %), the one of least cost.
 */
export function chosenLimit(
  preference: Preference,
  profiles: readonly EpochProfile[],
  slowdown: number,
): EpochProfile {
  const highest = Math.max(...profiles.map(({ limit }) => limit));
  const usual = profiles.find(({ limit }) => limit === highest);
  const longest = (usual?.seconds ?? Infinity) * (1 + slowdown);
  return bestLimit(
    preference,
    profiles.filter(({ seconds }) => seconds <= longest),
  );
}
