// What earlier runs of a job say about the next one: how long it takes and at what power, so that nobody
// has to declare what the ledger knows.

import type { Card } from "../../core/card.ts";
import { combinedMethod, type Figure, figure, mean, quantile, scaled } from "../../core/index.ts";
import { type Duration, learnedDuration } from "./duration.ts";

/** What the cards of a job's runs tell; null for what they do not. */
export interface LearnedJob {
  /** Complete runs that were looked at. */
  readonly runs: number;
  /** Null with fewer than two runs: nobody knows then how far they vary. */
  readonly duration: Duration | null;
  /** Mean power while it runs, in the boundary that carries the cards' emissions. */
  readonly power: Figure<"W"> | null;
}

/** Learns from the cards of one job; runs that did not complete are passed over. */
export function learnedJob(cards: readonly Card[]): LearnedJob {
  const complete = cards.filter(({ status }) => status === "complete");
  const seconds = complete.map(({ measures }) => measures.duration.value).filter((run) => run > 0);
  return {
    runs: complete.length,
    duration: seconds.length < 2 ? null : learnedDuration(seconds),
    power: powerOf(complete.flatMap(meanPower)),
  };
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
