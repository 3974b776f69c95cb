// What the machine and the subject did meanwhile: CPU time, turned into the share of the machine's
// busy time that is the subject's, interval by interval.

import { deltas, interpolate, type Timeline } from "./timeline.ts";

/** One interval's activity. */
export interface Activity {
  readonly seconds: number;
  /** Busy part of the machine's logical processors, 0 to 1; null when it is not known. */
  readonly utilisation: number | null;
  /** Subject's part of the machine's busy CPU time, 0 to 1; null when it is not known. */
  readonly share: number | null;
}

/**
 * Busy seconds from which a share is trusted. Linux counts in ticks of 10 ms (USER_HZ, proc(5)):
 * over half a second a tick is 2 %.
 */
const TRUSTED_BUSY_S = 0.5;

/** Activity of every interval of a run. */
export function activityOf(timeline: Timeline): readonly Activity[] {
  const { ticks, times, end } = timeline;
  const lengths = deltas(times);
  const busy = growth(
    times,
    ticks.map(({ busyS }) => busyS),
  );
  if (busy === null) {
    return lengths.map((seconds) => ({ seconds, utilisation: null, share: null }));
  }
  const sampled = growth(
    times,
    ticks.map(({ subjectS }) => subjectS),
  );
  const exact = end?.subjectS ?? null;
  const subject = exact === null ? sampled : reconcile(sampled ?? busy.map(() => 0), busy, exact);
  const threads = timeline.start.machine.cpu.threads;
  return trustedWindows(busy).flatMap(({ from, to }) => {
    const busyS = add(busy.slice(from, to));
    const seconds = add(lengths.slice(from, to));
    const utilisation = Math.min(1, busyS / (threads * seconds));
    const own = subject === null ? null : add(subject.slice(from, to));
    const share = own === null ? null : busyS > 0 ? Math.min(1, own / busyS) : 0;
    return lengths.slice(from, to).map((length) => ({ seconds: length, utilisation, share }));
  });
}

/**
 * CPU time by interval that adds up to the exact total. What sampling missed belongs to children
 * that came and went between two samples: it is laid where the machine was busy with work that
 * nobody had claimed, in proportion to it.
 */
export function reconcile(
  sampled: readonly number[],
  busy: readonly number[],
  exact: number,
): readonly number[] {
  const seen = add(sampled);
  const missing = exact - seen;
  if (missing <= 0) return seen > 0 ? sampled.map((own) => (own * exact) / seen) : sampled;
  const unclaimed = sampled.map((own, index) => Math.max(0, (busy[index] ?? 0) - own));
  const room = add(unclaimed);
  if (room === 0) return sampled;
  return sampled.map((own, index) => own + (missing * (unclaimed[index] ?? 0)) / room);
}

/** Growth by interval of a cumulative quantity; null when it is known at fewer than two ticks. */
function growth(times: readonly number[], values: readonly (number | null)[]): number[] | null {
  const known = times.flatMap((t, index) => {
    const value = values[index] ?? null;
    return value === null ? [] : [{ t, value }];
  });
  if (known.length < 2) return null;
  const [at, value] = [known.map(({ t }) => t), known.map((point) => point.value)];
  // proc(5): a kernel's CPU times may step back by a tick; that is not negative use.
  return deltas(times.map((t) => interpolate(at, value, t))).map((delta) => Math.max(0, delta));
}

/** Neighbouring intervals joined until each window has enough busy time; a short rest joins the last. */
function trustedWindows(busy: readonly number[]): { from: number; to: number }[] {
  const windows: { from: number; to: number }[] = [];
  let from = 0;
  let seen = 0;
  for (const [index, busyS] of busy.entries()) {
    seen += busyS;
    if (seen < TRUSTED_BUSY_S) continue;
    windows.push({ from, to: index + 1 });
    from = index + 1;
    seen = 0;
  }
  const last = windows.at(-1);
  if (last === undefined) return busy.length === 0 ? [] : [{ from: 0, to: busy.length }];
  last.to = busy.length;
  return windows;
}

function add(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
