// The plan on a terminal: one line of bars for the forecast, one below it that marks when the job runs. Every
// cell is an equal part of the time; where the terminal speaks no UTF-8 the bars are digits from 0 to 9.

import type { PlanData } from "./plan.ts";

/** What is drawn of a plan. */
export type BarData = Pick<PlanData, "steps" | "runs" | "now" | "latestStart" | "deadline">;

const BLOCKS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;
const DIGITS = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"] as const;

/** Two lines of equal length: the forecast from lowest to highest, and `=` runs, `|` latest start. */
export function signalBar(
  { steps, runs, now, latestStart, deadline }: BarData,
  { width, unicode }: { readonly width: number; readonly unicode: boolean },
): readonly [signal: string, marks: string] {
  const shortest = steps.reduce((least, { start, end }) => Math.min(least, end - start), Infinity);
  const wanted = Math.ceil((deadline - now) / shortest);
  const count = Math.max(1, Math.min(width, wanted));
  const cell = (deadline - now) / count;
  const cells = Array.from({ length: count }, (_, at) => {
    const [start, end] = [now + at * cell, now + (at + 1) * cell];
    const parts = steps.map((step) => ({ seconds: overlap(step, start, end), value: step.value }));
    const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
    const value = parts.reduce((sum, part) => sum + part.seconds * part.value, 0) / seconds;
    const running = runs.reduce((sum, run) => sum + overlap(run, start, end), 0);
    // A run shorter than a cell is seen by its middle.
    const holds = runs.some((run) => start <= middleOf(run) && middleOf(run) < end);
    const isLast = latestStart >= start && latestStart < end;
    return { value, mark: running >= cell / 2 || holds ? "=" : isLast ? "|" : " " };
  });
  const known = cells.map(({ value }) => value).filter(Number.isFinite);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const levels = unicode ? BLOCKS : DIGITS;
  const level = (value: number): string => {
    if (!Number.isFinite(value)) return " ";
    const share = high > low ? (value - low) / (high - low) : 0;
    return levels[Math.min(levels.length - 1, Math.floor(share * levels.length))] ?? " ";
  };
  return [cells.map(({ value }) => level(value)).join(""), cells.map(({ mark }) => mark).join("")];
}

const middleOf = (of: { readonly start: number; readonly end: number }): number =>
  (of.start + of.end) / 2;

const overlap = (
  of: { readonly start: number; readonly end: number },
  from: number,
  to: number,
): number => Math.max(0, Math.min(of.end, to) - Math.max(of.start, from));
