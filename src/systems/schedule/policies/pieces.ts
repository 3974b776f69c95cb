// The stretches of constant intensity that a window is made of, for policies that pick among them.

import type { Signal } from "../signal.ts";
import type { Run } from "./policy.ts";

/** A stretch of time and the intensity that holds in it, gCO2e/kWh. */
export interface Piece extends Run {
  readonly value: number;
}

/** Constant pieces of [from, to), in order of time. */
export function piecesOf({ start, step, values }: Signal, from: number, to: number): Piece[] {
  const pieces: Piece[] = [];
  for (let index = Math.floor((from - start) / step); start + index * step < to; index++) {
    const value = values[index];
    if (value === undefined) break;
    pieces.push({
      start: Math.max(from, start + index * step),
      end: Math.min(to, start + (index + 1) * step),
      value,
    });
  }
  return pieces;
}

/** Runs that come in order of time, those that touch made one. */
export function joined(runs: readonly Run[]): readonly Run[] {
  const merged: Run[] = [];
  for (const { start, end } of runs) {
    const last = merged.at(-1);
    if (last !== undefined && last.end >= start) merged[merged.length - 1] = { ...last, end };
    else merged.push({ start, end });
  }
  return merged;
}
