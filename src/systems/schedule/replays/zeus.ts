// "Zeus: Understanding and Optimizing GPU Energy Consumption of DNN Training" (You, Chung, Chowdhury;
// NSDI 2023): what the best batch size and power limit save over the defaults, on the authors' traces of
// six workloads on four GPUs; and what the online tuner gets of it while the jobs come.

import { potentialOf } from "../../tune/potential.ts";
import { oracleCost, recur } from "../../tune/recurrence.ts";
import { baselineOf, type Workload, type WorkloadKey, workloadFrom } from "../../tune/workload.ts";
import type { Check, Replay, ReplayFiles } from "./replay.ts";

export const GPUS = ["v100", "a40", "p100", "rtx6000"] as const;

type Gpu = (typeof GPUS)[number];

interface Bars extends WorkloadKey {
  /**
   * V100 energy to accuracy relative to the default, from the figure's vector file in the authors'
   * repository (eta-potential-all-v100-light.svg): both knobs, power limit alone.
   */
  readonly bars: readonly [both: number, limitOnly: number];
}

/** The six workloads: targets, epochs and default batch sizes of the authors' run_alibaba.py. */
const WORKLOADS: readonly Bars[] = [
  {
    ...{ name: "DeepSpeech2", dataset: "librispeech", optimizer: "adamw", target: 40 },
    ...{ defaultBatch: 192, mostEpochs: 16, bars: [0.572, 0.838] },
  },
  {
    ...{ name: "BERT (QA)", dataset: "squad", optimizer: "adamw", target: 84 },
    ...{ defaultBatch: 32, mostEpochs: 6, bars: [0.724, 0.822] },
  },
  {
    ...{ name: "BERT (SA)", dataset: "sentiment140", optimizer: "adamw", target: 0.84 },
    ...{ defaultBatch: 128, mostEpochs: 10, bars: [0.736, 0.788] },
  },
  {
    ...{ name: "ResNet-50", dataset: "imagenet", optimizer: "adadelta", target: 0.65 },
    ...{ defaultBatch: 256, mostEpochs: 100, bars: [0.762, 0.775] },
  },
  {
    ...{ name: "ShuffleNet V2", dataset: "cifar100", optimizer: "adadelta", target: 0.6 },
    ...{ defaultBatch: 1024, mostEpochs: 100, bars: [0.253, 0.686] },
  },
  {
    ...{ name: "NeuMF", dataset: "movielens-1m", optimizer: "adam", target: 0.41 },
    ...{ defaultBatch: 1024, mostEpochs: 100, bars: [0.334, 0.97] },
  },
];

/** The published range of what Zeus saves (abstract), percent of energy. */
const PUBLISHED_RANGE = [15.3, 75.8] as const;

const SEEDS = 20;
const LAST = 5;

/** The workloads on one GPU. */
export async function readWorkloads(files: ReplayFiles, gpu: Gpu): Promise<readonly Workload[]> {
  const training = await files.text("scheduling/zeus/summary_train.csv");
  const power = await files.text(`scheduling/zeus/summary_power_${gpu}.csv`);
  return WORKLOADS.map((key) => workloadFrom(training, power, key));
}

/** What the tuner reached, percent, means over the seeds. */
interface Online {
  readonly name: string;
  /** Energy saved by the last five comings. */
  readonly last: number;
  /** Energy saved by all comings, with everything that exploring cost. */
  readonly whole: number;
  /** Time saved by the last five; negative when slower. */
  readonly time: number;
  /** Cost of all comings over what the oracle would have paid, percent above it. */
  readonly regret: number;
}

/** The tuner on one workload: eta 0.5, beta 2, 2 x batch sizes x limits comings, as in the paper. */
function tuneOnline(workload: Workload, seeds = SEEDS): Online {
  const limits = new Set(
    workload.batches.flatMap(({ profiles }) => profiles.map(({ limit }) => limit)),
  );
  const times = 2 * workload.batches.length * limits.size;
  const baseline = baselineOf(workload);
  const oracle = oracleCost(workload, 0.5) * times;
  const sums = { last: 0, whole: 0, time: 0, regret: 0 };
  for (let seed = 1; seed <= seeds; seed++) {
    const comings = recur(workload, { eta: 0.5, beta: 2, times, seed });
    const tail = comings.slice(-LAST);
    sums.last += 1 - meanBy(tail, "joules") / baseline.joules;
    sums.time += 1 - meanBy(tail, "seconds") / baseline.seconds;
    sums.whole += 1 - meanBy(comings, "joules") / baseline.joules;
    sums.regret += (meanBy(comings, "cost") * times) / oracle - 1;
  }
  const percent = (sum: number): number => (100 * sum) / seeds;
  return {
    name: workload.name,
    last: percent(sums.last),
    whole: percent(sums.whole),
    time: percent(sums.time),
    regret: percent(sums.regret),
  };
}

function meanBy<K extends string>(of: readonly Readonly<Record<K, number>>[], key: K): number {
  return of.reduce((sum, one) => sum + one[key], 0) / of.length;
}

function potentialChecks(gpu: Gpu, workloads: readonly Workload[]): readonly Check[] {
  return workloads.flatMap((workload, at): Check[] => {
    const { both, limitOnly, batchOnly, noSlowdown, noSlowdownLimitOnly } = potentialOf(workload);
    const bars = gpu === "v100" ? WORKLOADS[at]?.bars : undefined;
    const check = (name: string, energy: number, bar?: number): Check => ({
      name: `${gpu.toUpperCase()} ${workload.name}: ${name}`,
      unit: "% energy",
      ours: 100 * energy,
      published: bar === undefined ? null : 100 * (1 - bar),
      // The bars were read to three decimals of the baseline.
      tolerance: 0.1,
    });
    return [
      check("both knobs", both.energy, bars?.[0]),
      check("limit alone", limitOnly.energy, bars?.[1]),
      check("batch alone", batchOnly.energy),
      check("no slowdown", noSlowdown.energy),
      check("limit, no slowdown", noSlowdownLimitOnly.energy),
    ];
  });
}

function onlineChecks(workload: Workload): readonly Check[] {
  const { name, last, whole, time, regret } = tuneOnline(workload);
  const row = (what: string, unit: string, ours: number): Check => ({
    name: `V100 ${name}: ${what}`,
    unit,
    ours,
    published: null,
    tolerance: 0,
  });
  return [
    { ...row("tuner, last 5", "% energy", last), published: PUBLISHED_RANGE },
    row("tuner, all", "% energy", whole),
    row("tuner, last 5", "% time", time),
    row("tuner, regret", "% cost", regret),
  ];
}

export const zeus: Replay = {
  name: "zeus",
  async run(files) {
    const checks: Check[] = [];
    for (const gpu of GPUS) {
      const workloads = await readWorkloads(files, gpu);
      checks.push(...potentialChecks(gpu, workloads));
      if (gpu === "v100") checks.push(...workloads.flatMap(onlineChecks));
    }
    return {
      study: "Energy to accuracy of six workloads on four GPUs",
      citation: "You, Chung, Chowdhury, NSDI 2023; traces of ml-energy/zeus",
      checks,
      notes: [
        "No slowdown is what most users want. There a power limit alone saves nothing, but for NeuMF: " +
          "the batch size has to change first, and then makes room for a lower limit.",
        "Both knobs: best batch size and power limit. The tuner's rows are means over 20 seeds with eta 0.5; its range is what the paper's abstract claims.",
        "Computed from recorded runs. Setting a power limit was not tried on hardware.",
      ],
    };
  },
};
