// Pool-based active learning: train, ask for the labels that would teach most, train again.

import { createRandom } from "../../../core/index.ts";
import { allRows, shuffled } from "../../data/index.ts";
import { highest } from "./uncertainty.ts";

export interface ActiveOptions<Learner> {
  /** Rows that labels can be asked for. */
  readonly pool: number;
  /** Labels bought at random before the first training. */
  readonly first: number;
  /** Labels bought in each round after that. */
  readonly perRound: number;
  readonly rounds: number;
  readonly seed: number;
  /** Trains on the labelled rows. */
  readonly train: (labelled: readonly number[], round: number) => Promise<Learner>;
  /** What the label of each of these rows would be worth, larger for more. */
  readonly worth: (learner: Learner, unlabelled: readonly number[]) => Promise<ArrayLike<number>>;
  /** Called after each training; true ends the search for labels. */
  readonly judge?: (
    learner: Learner,
    labelled: readonly number[],
    round: number,
  ) => Promise<boolean>;
}

export interface ActiveResult<Learner> {
  /** In the order in which their labels were bought. */
  readonly labelled: readonly number[];
  readonly learner: Learner;
  /** Trainings, the first included. */
  readonly trainings: number;
}

/** Runs rounds until the labels are spent, the pool is empty or `judge` is content. */
export async function learnActively<Learner>(
  options: ActiveOptions<Learner>,
): Promise<ActiveResult<Learner>> {
  const { pool, first, perRound, rounds, seed, train, worth, judge } = options;
  const order = shuffled(allRows(pool), createRandom(seed));
  const labelled = order.slice(0, first);
  let unlabelled = order.slice(first);
  for (let round = 0; ; round++) {
    const learner = await train(labelled, round);
    const content = (await judge?.(learner, labelled, round)) ?? false;
    if (content || round === rounds || unlabelled.length === 0) {
      return { labelled, learner, trainings: round + 1 };
    }
    const values = await worth(learner, unlabelled);
    const chosen = new Set(highest(values, perRound));
    labelled.push(...[...chosen].map((at) => unlabelled[at] as number));
    unlabelled = unlabelled.filter((_, at) => !chosen.has(at));
  }
}
