// A run as its records tell it: one clock and, for each sensor, energy that grows without holes.
// Where a sensor was silent, its energy is what the sensors' own rules make of a gap (bridge.ts).

import { type BridgedPiece, bridgeGaps } from "../sensors/bridge.ts";
import type { Gap, Piece } from "../sensors/integrate.ts";
import type {
  EndRecord,
  GapRecord,
  SegmentRecord,
  SensorRecord,
  SpanRecord,
  StartRecord,
  TickRecord,
} from "./record.ts";

/** One sensor over the whole run. */
export interface Track {
  readonly sensor: SensorRecord;
  readonly pieces: readonly BridgedPiece[];
  /** Joules since the start at each tick, bridged gaps included. */
  readonly joules: readonly number[];
  /** By interval: its power is not known, though its energy may be. */
  readonly silent: readonly boolean[];
}

export interface Timeline {
  readonly start: StartRecord;
  /** Null when the run was interrupted. */
  readonly end: EndRecord | null;
  readonly ticks: readonly TickRecord[];
  /** Seconds since the start, one a tick, strictly growing. */
  readonly times: readonly number[];
  /** Aligned with `start.sensors`; null for a sensor that gave no energy at all. */
  readonly tracks: readonly (Track | null)[];
  readonly gaps: readonly (Gap & { readonly sensor: string })[];
  readonly spans: readonly SpanRecord[];
  readonly notices: readonly string[];
}

/** Reads a run's records; null when not even the first line was written. */
export function readTimeline(records: readonly SegmentRecord[]): Timeline | null {
  const start = records.find((record) => record.type === "start");
  if (start === undefined) return null;
  const ticks = growing(records.filter((record) => record.type === "tick"));
  const times = ticks.map(({ t }) => t);
  const gaps = records.filter((record) => record.type === "gap");
  const pieces = start.sensors.map(({ id }, index) => {
    const values = ticks.map((tick) => tick.values[index] ?? null);
    return piecesOf(
      times,
      values,
      gaps.filter(({ sensor }) => sensor === id),
    );
  });
  return {
    start,
    end: records.find((record) => record.type === "end") ?? null,
    ticks,
    times,
    tracks: start.sensors.map((sensor, index) => trackOf(sensor, times, pieces[index] ?? [])),
    gaps: start.sensors.flatMap(({ id }, index) =>
      (pieces[index] ?? []).flatMap((piece) =>
        piece.kind === "gap" ? [{ ...piece, sensor: id }] : [],
      ),
    ),
    spans: records.filter((record) => record.type === "span"),
    notices: records.filter((record) => record.type === "notice").map(({ text }) => text),
  };
}

/** Length of the run in seconds, from its first to its last tick. */
export function durationOf({ times }: Pick<Timeline, "times">): number {
  return (times.at(-1) ?? 0) - (times[0] ?? 0);
}

/** Value at `t` of a quantity known at `times`, straight between them and flat outside. */
export function interpolate(
  times: readonly number[],
  values: readonly number[],
  t: number,
): number {
  let low = 0;
  let high = times.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) <= t) low = middle;
    else high = middle;
  }
  const [t0, t1] = [times[low] ?? 0, times[high] ?? 0];
  const [v0, v1] = [values[low] ?? 0, values[high] ?? 0];
  const part = t1 > t0 ? Math.min(1, Math.max(0, (t - t0) / (t1 - t0))) : 0;
  return v0 + (v1 - v0) * part;
}

/** Differences between neighbours: one fewer than the values. */
export function deltas(values: readonly number[]): number[] {
  return values.slice(1).map((value, index) => value - (values[index] ?? 0));
}

/** Ticks in order of time. Of two at one moment the later stands; one out of order is dropped. */
function growing(ticks: readonly TickRecord[]): TickRecord[] {
  const kept: TickRecord[] = [];
  for (const tick of ticks) {
    const last = kept.at(-1);
    if (last?.t === tick.t) kept.pop();
    if (last === undefined || tick.t >= last.t) kept.push(tick);
  }
  return kept;
}

/** A sensor's ticks as pieces that cover the run: energy that was seen, and gaps. */
function piecesOf(
  times: readonly number[],
  values: readonly (number | null)[],
  gaps: readonly GapRecord[],
): readonly Piece[] {
  const points = times.flatMap((t, index) => {
    const value = values[index] ?? null;
    return value === null ? [] : [{ t, value }];
  });
  const [first, last, end] = [points[0], points.at(-1), times.at(-1)];
  if (first === undefined || last === undefined || end === undefined) return [];
  const between = points.slice(1).map((after, index): Piece => {
    const before = points[index] ?? first;
    const span = { from: before.t, to: after.t };
    const joules = after.value - before.value;
    const gap = gapWithin(gaps, span);
    if (gap === null) return { kind: "energy", ...span, joules };
    return { kind: "gap", ...span, ...causeOf(gap), joules: gap.joules === null ? null : joules };
  });
  return [
    ...silence({ from: times[0] ?? 0, to: first.t }, gaps),
    ...between,
    ...silence({ from: last.t, to: end }, gaps),
  ];
}

/** Time before a sensor's first or after its last reading; a cut-off run has not written why. */
function silence(
  span: { readonly from: number; readonly to: number },
  gaps: readonly GapRecord[],
): readonly Gap[] {
  if (span.to <= span.from) return [];
  const gap = gapWithin(gaps, span);
  const cause =
    gap === null ? { reason: "unreadable" as const, detail: "it did not answer" } : causeOf(gap);
  return [{ kind: "gap", ...span, ...cause, joules: null }];
}

function gapWithin(
  gaps: readonly GapRecord[],
  { from, to }: { readonly from: number; readonly to: number },
): GapRecord | null {
  const middle = (from + to) / 2;
  return gaps.find((gap) => gap.from < middle && gap.to > middle) ?? null;
}

const causeOf = ({ reason, detail }: GapRecord): Pick<Gap, "reason" | "detail"> => ({
  reason,
  detail,
});

function trackOf(
  sensor: SensorRecord,
  times: readonly number[],
  pieces: readonly Piece[],
): Track | null {
  const bridged = bridgeGaps(pieces, sensor);
  if (bridged.length === 0) return null;
  const knots = [bridged[0]?.from ?? 0, ...bridged.map(({ to }) => to)];
  let sum = 0;
  const joules = [0, ...bridged.map((piece) => (sum += piece.joules))];
  const gaps = bridged.filter(({ gap }) => gap !== null);
  return {
    sensor,
    pieces: bridged,
    joules: times.map((t) => interpolate(knots, joules, t)),
    silent: times
      .slice(1)
      .map((to, index) => gaps.some((gap) => gap.from < to && gap.to > (times[index] ?? 0))),
  };
}
