// What a run has said so far: appended to its segment as it comes, and kept in memory so that the
// card can be made without reading the disk. Memory is bounded: old ticks are thinned, which loses
// resolution of long runs and, ticks being cumulative, no energy.

import type { SegmentRecord, TickRecord } from "./record.ts";

/** Where records are kept. Ledger segments are one; it says why when it could not. */
export interface RecordSink {
  append(record: SegmentRecord): { readonly reason: string } | null;
}

export interface Journal {
  append(record: SegmentRecord): void;
  /** In the order of their time, thinned. */
  records(): readonly SegmentRecord[];
}

/** Ticks kept in memory before half of them or more are dropped. */
const MOST_TICKS = 4096;
/** Neighbouring ticks of which the first and those around the highest power stay. */
const BUCKET = 8;

/** A journal; `onFault` hears once when a record could not be kept. */
export function createJournal(sink?: RecordSink, onFault?: (reason: string) => void): Journal {
  let ticks: TickRecord[] = [];
  const others: SegmentRecord[] = [];
  let hasFailed = false;
  return {
    append(record) {
      if (record.type === "tick") {
        ticks.push(record);
        if (ticks.length > MOST_TICKS) ticks = thin(ticks);
      } else others.push(record);
      const fault = sink?.append(record) ?? null;
      if (fault === null || hasFailed) return;
      hasFailed = true;
      onFault?.(fault.reason);
    },
    records() {
      const isEnd = (record: SegmentRecord): boolean => record.type === "end";
      return [...others.filter((r) => !isEnd(r)), ...ticks, ...others.filter(isEnd)];
    },
  };
}

/** Fewer ticks with the same totals: edges of gaps and of the highest powers stay. */
export function thin(ticks: readonly TickRecord[]): TickRecord[] {
  const keep = new Set<number>([0, ticks.length - 1]);
  for (const [index, tick] of ticks.entries()) {
    const neighbour = ticks[index + 1] ?? tick;
    if (silenceOf(tick) === silenceOf(neighbour)) continue;
    keep.add(index);
    keep.add(index + 1);
  }
  for (let from = 0; from < ticks.length; from += BUCKET) {
    const peak = peakAfter(ticks, from);
    for (const index of [from, peak, peak + 1]) keep.add(index);
  }
  return ticks.filter((_, index) => keep.has(index));
}

/** Index of the tick in a bucket after which the power was highest. */
function peakAfter(ticks: readonly TickRecord[], from: number): number {
  let [best, highest] = [from, Number.NEGATIVE_INFINITY];
  for (let index = from; index < Math.min(from + BUCKET, ticks.length - 1); index++) {
    const [before, after] = [ticks[index], ticks[index + 1]];
    if (before === undefined || after === undefined) continue;
    const power = (joulesOf(after) - joulesOf(before)) / (after.t - before.t);
    if (power > highest) [best, highest] = [index, power];
  }
  return best;
}

function joulesOf({ values }: TickRecord): number {
  let sum = 0;
  for (const value of values) sum += value ?? 0;
  return sum;
}

/** Which sensors are silent at a tick, as a text to compare. */
const silenceOf = ({ values }: TickRecord): string =>
  values.map((value) => (value === null ? "-" : "+")).join("");
