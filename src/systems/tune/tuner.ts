// Which batch size to try next in a job that comes again and again (Zeus, NSDI 2023, section 4): two
// rounds from the default downwards and upwards that leave out what fails, then Thompson sampling with a
// normal belief about each batch size's mean cost. A value that is advanced, not an object that changes.

import type { Random } from "../../core/index.ts";

/** What is known of a batch size that is still in play: its costs, oldest first. */
export interface Arm {
  readonly batch: number;
  readonly costs: readonly number[];
}

interface Exploring {
  readonly phase: "exploring";
  readonly round: 1 | 2;
  /** Still to be tried in this round, downwards from the default and then upwards. */
  readonly down: readonly number[];
  readonly up: readonly number[];
  /** Reached the target in this round. */
  readonly good: readonly number[];
  readonly best: { readonly batch: number; readonly cost: number };
}

interface Sampling {
  readonly phase: "sampling";
}

/** State of a tuner between two runs. */
export type Tuner = (Exploring | Sampling) & {
  readonly arms: readonly Arm[];
  /** Only the last so many costs of an arm count, so that a drifting job is followed; 0 is all. */
  readonly window: number;
};

/** A tuner that has seen nothing. `batches` must hold the default. */
export function newTuner(
  batches: readonly number[],
  defaultBatch: number,
  options: { readonly window?: number } = {},
): Tuner {
  if (!batches.includes(defaultBatch)) throw new RangeError(`${defaultBatch} is not a choice`);
  const arms = batches.map((batch) => ({ batch, costs: [] }));
  return { ...roundFrom(batches, defaultBatch, 1), arms, window: options.window ?? 0 };
}

function roundFrom(batches: readonly number[], start: number, round: 1 | 2): Exploring {
  const ascending = [...batches].sort((a, b) => a - b);
  return {
    phase: "exploring",
    round,
    down: ascending.filter((batch) => batch <= start).reverse(),
    up: ascending.filter((batch) => batch > start),
    good: [],
    best: { batch: start, cost: Infinity },
  };
}

/** The batch size to run with next. */
export function nextBatch(tuner: Tuner, random: Random): number {
  if (tuner.phase === "exploring") return tuner.down[0] ?? tuner.up[0] ?? NaN;
  const drawn = tuner.arms.map((arm) => ({ arm, cost: drawMean(arm, random) }));
  return drawn.reduce((low, one) => (one.cost < low.cost ? one : low)).arm.batch;
}

/**
 * A draw from the belief about an arm's mean cost: normal around the mean of what was seen, with the
 * variance of that mean. The prior is flat and the spread of costs is learned from the arm itself.
 */
function drawMean({ costs }: Arm, random: Random): number {
  const mean = costs.reduce((sum, cost) => sum + cost, 0) / costs.length;
  const variance = costs.reduce((sum, cost) => sum + (cost - mean) ** 2, 0) / costs.length;
  return mean + Math.sqrt(variance / costs.length) * random.normal();
}

/** How a run ended. */
export interface Outcome {
  readonly batch: number;
  /** Joules by the user's preference (`costOf`). */
  readonly cost: number;
  /** Whether the target was reached before the run was stopped. */
  readonly reached: boolean;
}

/** The tuner after a run. */
export function observed(tuner: Tuner, outcome: Outcome): Tuner {
  const arms = tuner.arms.map((arm) =>
    arm.batch === outcome.batch
      ? { ...arm, costs: [...arm.costs, outcome.cost].slice(-tuner.window) }
      : arm,
  );
  if (tuner.phase === "sampling") return { ...tuner, arms };
  const next = explored(tuner, outcome);
  if (next.down.length + next.up.length > 0) return { ...tuner, ...next, arms };
  const good = next.good.length > 0 ? next.good : [next.best.batch];
  if (next.round === 1) return { ...tuner, ...roundFrom(good, next.best.batch, 2), arms };
  const left = arms.filter(({ batch }) => good.includes(batch));
  return { phase: "sampling", arms: left, window: tuner.window };
}

/** One step of a round. A batch size that fails ends its direction: beyond it things get worse. */
function explored(of: Exploring, { batch, cost, reached }: Outcome): Exploring {
  const downwards = of.down.length > 0;
  if (!reached) return downwards ? { ...of, down: [] } : { ...of, up: [] };
  const rest = downwards ? { down: of.down.slice(1) } : { up: of.up.slice(1) };
  const best = cost < of.best.cost ? { batch, cost } : of.best;
  return { ...of, ...rest, best, good: [...of.good, batch] };
}
