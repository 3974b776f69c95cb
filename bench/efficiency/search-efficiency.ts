// Searching settings: even draws in full, TPE in full, ASHA. Each until it has found what even draws find in
// the middle of their seeds.

import { accuracy } from "../../src/models/data/metrics/index.ts";
import {
  asha,
  fullRuns,
  type Outcome,
  parseSpace,
  randomSampler,
  type Sampler,
  type Scheduler,
  search,
  tpe,
} from "../../src/models/search/index.ts";
import {
  adamW,
  type Checkpoint,
  constantRate,
  crossEntropy,
  fit as fitModel,
} from "../../src/models/train/index.ts";
import { ENGINE, net, operators, rowsFor, timed } from "./setting.ts";

const SPACE = parseSpace({
  rate: { float: [1e-4, 3e-2], log: true },
  batch: { choice: [16, 32, 64] },
  decay: { float: [1e-4, 0.3], log: true },
});
const EPOCHS = 9;

/** Outcomes of one search, with CPU seconds in the place of joules. */
async function run(
  seed: number,
  sampler: Sampler,
  scheduler: Scheduler,
): Promise<readonly Outcome[]> {
  const { train, validation } = rowsFor(seed, 600);
  const checkpoints = new Map<number, Checkpoint>();
  const { outcomes } = await search({
    ...{ space: SPACE, sampler, scheduler, seed, goal: { better: "higher" } },
    evaluate: async ({ trial, config, resource }) => {
      const before = checkpoints.get(trial);
      const { result, cpuS } = await timed(() =>
        fitModel(net("lenet-5", seed), {
          ...{ operators, train, validation, metric: accuracy, loss: crossEntropy(), seed },
          optimizer: adamW({ weightDecay: Number(config["decay"]) }),
          schedule: () => constantRate(Number(config["rate"])),
          ...{ batchSize: Number(config["batch"]), epochs: resource, ...ENGINE },
          // Who is promoted goes on from its checkpoint.
          ...(before === undefined ? {} : { resume: before }),
        }),
      );
      checkpoints.set(trial, result.checkpoint);
      return { value: result.best?.value ?? null, joules: cpuS };
    },
  });
  return outcomes;
}

export const SEARCHES: Readonly<Record<string, (seed: number) => Promise<readonly Outcome[]>>> = {
  "even draws, all in full": (seed) => run(seed, randomSampler, fullRuns(6, EPOCHS)),
  "TPE, all in full": (seed) => run(seed, tpe({ startUp: 3 }), fullRuns(6, EPOCHS)),
  "even draws, ASHA": (seed) =>
    run(seed, randomSampler, asha({ trials: 12, least: 1, most: EPOCHS })),
};

/** The best value of a search, CPU seconds in all, and until it had found the target. */
export function summary(outcomes: readonly Outcome[], target: number) {
  let [allS, foundS] = [0, null as number | null];
  let best = 0;
  for (const { value, joules } of outcomes) {
    allS += joules ?? 0;
    best = Math.max(best, value ?? 0);
    if (foundS === null && best >= target) foundS = allS;
  }
  return { allS, foundS, best };
}
