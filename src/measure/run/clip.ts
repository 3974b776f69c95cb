// The records of a part of a run: what a run from `from` to `to` would have written. Ticks are
// cumulative, so the energy of the part follows from its two ends.

import type { GpuUse, SegmentRecord, TickRecord } from "./record.ts";

/** Records between two moments, in seconds since the start; null without two ticks to go by. */
export function clip(
  records: readonly SegmentRecord[],
  from: number,
  to: number,
): readonly SegmentRecord[] | null {
  const ticks = records.filter((record) => record.type === "tick");
  const [first, last] = [tickAt(ticks, from), tickAt(ticks, to)];
  if (first === null || last === null || to <= from) return null;
  const others = records.filter((record) => {
    if (record.type === "gap") return record.from < to && record.to > from;
    return record.type === "start";
  });
  const between = ticks.filter(({ t }) => t > from && t < to);
  return [...others, first, ...between, last];
}

/** The tick that would have been taken at `t`: between its neighbours, or beyond the last two. */
function tickAt(ticks: readonly TickRecord[], t: number): TickRecord | null {
  const exact = ticks.find((tick) => tick.t === t);
  if (exact !== undefined) return exact;
  const next = ticks.findIndex((tick) => tick.t > t);
  const index = next === -1 ? ticks.length - 1 : next;
  const [before, after] = [ticks[index - 1], ticks[index]];
  if (before === undefined || after === undefined) return null;
  const part = (t - before.t) / (after.t - before.t);
  const mix = (a: number | null, b: number | null): number | null =>
    a === null || b === null ? null : a + (b - a) * part;
  return {
    type: "tick",
    t,
    values: before.values.map((value, sensor) => mix(value, after.values[sensor] ?? null)),
    busyS: mix(before.busyS, after.busyS),
    subjectS: mix(before.subjectS, after.subjectS),
    rss: mix(before.rss, after.rss),
    ...(before.gpu === undefined || after.gpu === undefined
      ? {}
      : { gpu: mixUses(before.gpu, after.gpu, part) }),
  };
}

type Uses = NonNullable<TickRecord["gpu"]>;

/** Sums of both ticks, mixed; a device that one of them lacks is left out. */
function mixUses(before: Uses, after: Uses, part: number): Uses {
  const mix = (a: number, b: number): number => a + (b - a) * part;
  const uses = Object.entries(before).flatMap(([sensor, from]): [string, GpuUse][] => {
    const to = after[sensor];
    if (to === undefined) return [];
    const optional = (key: "toldS" | "heldS" | "othersS"): Partial<GpuUse> => {
      const [a, b] = [from[key], to[key]];
      return a === undefined || b === undefined ? {} : { [key]: mix(a, b) };
    };
    const use = {
      ...to,
      busyS: mix(from.busyS, to.busyS),
      subjectS: mix(from.subjectS, to.subjectS),
      ...optional("toldS"),
      ...optional("heldS"),
      ...optional("othersS"),
    };
    return [[sensor, use]];
  });
  return Object.fromEntries(uses);
}
