// What earlier runs of a job say about the next one: how long it takes and at what power, so that nobody
// has to declare what the ledger knows.

import type { Card } from "../../core/card.ts";
import { combinedMethod, type Figure, figure, mean, quantile, scaled } from "../../core/index.ts";
import { type Duration, learnedDuration, learnedDurationAt, type SizedRun } from "./duration.ts";

/** What the cards of a job's runs tell; null for what they do not. */
export interface LearnedJob {
  /** Complete runs that were looked at. */
  readonly runs: number;
  /** Null with fewer than two runs; by size, with fewer than three or of one other size. */
  readonly duration: Duration | null;
  /** Mean power while it runs, in the boundary that carries the cards' emissions. */
  readonly power: Figure<"W"> | null;
}

/** The tag of a run that says how large its work was. */
export const SIZE_TAG = "size";

/**
 * Learns from the cards of one job; runs that did not complete are passed over. For a job of some size only those
 * count that tell theirs, by the tag `size`.
 */
export function learnedJob(cards: readonly Card[], size: number | null = null): LearnedJob {
  const complete = cards
    .filter(({ status }) => status === "complete")
    .filter((card) => size === null || sizeOf(card) !== null);
  const runs = complete
    .map((card) => ({ size: sizeOf(card) ?? 0, seconds: card.measures.duration.value }))
    .filter(({ seconds }) => seconds > 0);
  return {
    runs: complete.length,
    duration: durationFrom(runs, size),
    power: powerOf(complete.flatMap(meanPower)),
  };
}

/** Null for too few runs: nobody knows then how far they vary, or what size does. */
function durationFrom(runs: readonly SizedRun[], size: number | null): Duration | null {
  if (runs.length < 2) return null;
  if (size === null) return learnedDuration(runs.map(({ seconds }) => seconds));
  const sizes = new Set(runs.map((run) => run.size));
  const isOne = sizes.size === 1 && sizes.has(size);
  return isOne || (sizes.size > 1 && runs.length > 2) ? learnedDurationAt(runs, size) : null;
}

/** Null where the run does not tell it. */
function sizeOf({ subject }: Card): number | null {
  const size = Number(subject.tags[SIZE_TAG]);
  return size > 0 && Number.isFinite(size) ? size : null;
}

/** Mean power of a run: the energy of the card's own headline over its duration. */
function meanPower({ measures, boundary }: Card): readonly Figure<"W">[] {
  const energy = measures.energy?.[boundary.headline] ?? measures.energy?.gross;
  const { value: seconds } = measures.duration;
  if (energy === undefined || !(seconds > 0) || !(energy.value > 0)) return [];
  const { value, low, high } = scaled(energy, 1 / seconds);
  return [figure("W", value, { low, high }, energy)];
}

/** Mean over runs; its interval covers what each run leaves open and how far they differ. */
function powerOf(runs: readonly Figure<"W">[]): Figure<"W"> | null {
  if (runs.length === 0) return null;
  const value = mean(runs.map((run) => run.value));
  const ascending = (bound: "low" | "high"): number[] =>
    runs.map((run) => run[bound]).sort((a, b) => a - b);
  const low = Math.min(value, quantile(ascending("low"), 0.05));
  const high = Math.max(value, quantile(ascending("high"), 0.95));
  const method = combinedMethod(runs.map((run) => run.method));
  return figure("W", value, { low, high }, { method, source: `mean power of ${runs.length} runs` });
}
