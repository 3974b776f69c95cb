// Power over time, from energy that was counted: mean power of stretches long enough for the sensor
// to resolve, the highest of them, and a series thin enough for a card.

/** Mean power between two moments; null inside a gap. */
export interface PowerStretch {
  readonly from: number;
  readonly to: number;
  readonly watts: number | null;
}

/** Joules since the start at each time, and for each interval whether its power is unknown. */
export interface EnergyCurve {
  readonly times: readonly number[];
  readonly joules: readonly number[];
  readonly silent: readonly boolean[];
}

/** Points of a series on a card. */
const SERIES_POINTS = 512;
/** Shortest stretch whose mean power is shown, seconds ... */
const SHORTEST_S = 0.05;
/** ... and in updates of the sensor, below which its resolution shows more than its power. */
const SHORTEST_UPDATES = 10;

/** Mean power by stretch. One that a gap or the end cuts short joins the one before it. */
export function powerCurve(
  { times, joules, silent }: EnergyCurve,
  updatePeriod = 0,
): readonly PowerStretch[] {
  const shortest = Math.max(SHORTEST_S, SHORTEST_UPDATES * updatePeriod);
  const stretches: PowerStretch[] = [];
  let begin = 0;
  for (let index = 1; index < times.length; index++) {
    const [from, to] = [times[begin] ?? 0, times[index] ?? 0];
    const isGap = silent[index - 1] === true;
    const goesOn = index < times.length - 1 && (silent[index] === true) === isGap;
    if (to - from < shortest && goesOn) continue;
    const watts = isGap ? null : ((joules[index] ?? 0) - (joules[begin] ?? 0)) / (to - from);
    const stretch = { from, to, watts };
    const before = stretches.at(-1);
    const joined = to - from < shortest && before !== undefined ? join(before, stretch) : null;
    if (joined === null) stretches.push(stretch);
    else stretches[stretches.length - 1] = joined;
    begin = index;
  }
  return stretches;
}

/** Highest mean power of a stretch; null when no power is known. */
export function peakOf(stretches: readonly PowerStretch[]): number | null {
  let peak: number | null = null;
  for (const { watts } of stretches) {
    if (watts !== null && (peak === null || watts > peak)) peak = watts;
  }
  return peak;
}

/**
 * At most about `limit` stretches that keep the shape: the lowest, the highest and a gap of every
 * bucket (min-max decimation), so that no peak is lost.
 */
export function decimate(
  stretches: readonly PowerStretch[],
  limit = SERIES_POINTS,
): readonly PowerStretch[] {
  if (stretches.length <= limit) return stretches;
  const size = Math.ceil((stretches.length * 3) / limit);
  const kept: PowerStretch[] = [];
  for (let index = 0; index < stretches.length; index += size) {
    const bucket = stretches.slice(index, index + size);
    const known = bucket.filter(({ watts }) => watts !== null);
    const byPower = [...known].sort((a, b) => (a.watts ?? 0) - (b.watts ?? 0));
    const gap = bucket.find(({ watts }) => watts === null);
    const chosen = new Set([byPower[0], byPower.at(-1), gap]);
    kept.push(...bucket.filter((stretch) => chosen.has(stretch)));
  }
  return kept;
}

function join(before: PowerStretch, after: PowerStretch): PowerStretch | null {
  if (before.watts === null || after.watts === null) return null;
  const [first, second] = [before.to - before.from, after.to - after.from];
  const watts = (before.watts * first + after.watts * second) / (first + second);
  return { from: before.from, to: after.to, watts };
}
