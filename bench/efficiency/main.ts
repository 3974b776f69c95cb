// What techniques for training with less really save: energy to the same accuracy, against plain training on
// the same rows, what choosing costs included. Fashion-MNIST (10k subset), small networks, seeds 1 to 5.
//
//   GODWIT_DATA=../shared/data node bench/efficiency/main.ts [--seeds 1,2,3,4,5] [--parts data,lora,size,stacking,search]
//
// About ten minutes of one core.

import { parseArgs } from "node:util";
import { createNodeHost } from "../../src/core/host/node-host.ts";
import { median } from "../../src/core/index.ts";
import { model as powerModel } from "../../src/measure/estimate/index.ts";
import { createMeter } from "../../src/measure/run/index.ts";
import { cpuMs, printMachine, printTable, row, spread } from "../engine/figures.ts";
import * as data from "./data-efficiency.ts";
import { SEARCHES, summary } from "./search-efficiency.ts";
import type { Cost } from "./setting.ts";
import * as training from "./training-efficiency.ts";

const { values: options } = parseArgs({
  options: {
    seeds: { type: "string", default: "1,2,3,4,5" },
    parts: { type: "string", default: "data,lora,size,stacking,search" },
  },
});
const seeds = options.seeds.split(",").map(Number);

type Technique = readonly [name: string, run: (seed: number) => Promise<Cost>];

const PARTS: Readonly<Record<string, { target: number; techniques: readonly Technique[] }>> = {
  data: {
    target: data.TARGET,
    techniques: [
      ["all 3,000 rows in any order", data.plain],
      ["half of the rows at random", data.fewerAtRandom],
      ["half of the rows by k-centre", data.coreset],
      ["70 % of the rows by EL2N", data.pruned],
      ["70 % of the rows by forgetting", data.unforgotten],
      ["easy rows first (EL2N, root pacing)", data.easyFirst],
      ["labels bought at random", data.passiveLearning],
      ["labels bought by margin", data.activeLearning],
    ],
  },
  lora: {
    target: training.ADAPT_TARGET,
    techniques: [
      ["fine-tuning all weights", training.fineTuned],
      ["LoRA, rank 8", training.lowRank],
      ["from scratch", training.fromScratch],
    ],
  },
  size: {
    target: training.SIZE_TARGET,
    techniques: [
      ["28 x 28 throughout", training.wholeSize],
      ["14 x 14 first", training.smallFirst],
    ],
  },
  stacking: {
    target: training.STACK_TARGET,
    techniques: [
      ["6 residual blocks throughout", training.wholeDepth],
      ["3 blocks first, then stacked", training.stacked],
    ],
  },
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Prints a table, given the joules of a CPU second. */
type Report = (joules: number) => void;

/** Taking turns by seed, so that a machine that slows down does so for all. */
async function runPart(name: string): Promise<Report> {
  const part = PARTS[name];
  if (part === undefined) throw new Error(`there is no part ${name}`);
  const costs = part.techniques.map((): Cost[] => []);
  for (const seed of seeds) {
    for (const [at, [technique, run]] of part.techniques.entries()) {
      const cost = await run(seed);
      costs[at]?.push(cost);
      console.error(`seed ${seed}  ${technique}  ${JSON.stringify(cost)}`);
    }
  }
  const [plain = []] = costs;
  return (joules) => {
    console.log(
      `Accuracy of ${percent(part.target)} on validation rows; the first row is the baseline.\n`,
    );
    printTable(
      [
        "technique",
        "reached",
        "CPU s to it",
        "J to it (estimated)",
        "ratio to the baseline",
        "labels",
        "test accuracy",
      ],
      part.techniques.map(([technique], at) => costRow(technique, costs[at] ?? [], plain, joules)),
    );
  };
}

function costRow(
  technique: string,
  costs: readonly Cost[],
  plain: readonly Cost[],
  joules: number,
): string {
  const reached = costs.flatMap(({ cpuS }) => cpuS ?? []);
  // Pairs of seeds in which both reached it.
  const ratios = costs.flatMap(({ cpuS }, at) => {
    const base = plain[at]?.cpuS;
    return cpuS === null || base == null ? [] : cpuS / base;
  });
  const shown = (values: readonly number[]): string => (values.length === 0 ? "-" : spread(values));
  return row(
    technique,
    `${reached.length} of ${costs.length}`,
    shown(reached),
    shown(reached.map((cpuS) => cpuS * joules)),
    shown(ratios),
    median(costs.map(({ labels }) => labels)),
    shown(costs.map(({ test }) => Number((100 * test).toFixed(1)))),
  );
}

async function runSearches(): Promise<Report> {
  const found = new Map<string, Awaited<ReturnType<(typeof SEARCHES)[string]>>[]>();
  for (const seed of seeds) {
    for (const [name, run] of Object.entries(SEARCHES)) {
      const outcomes = await run(seed);
      found.set(name, [...(found.get(name) ?? []), outcomes]);
      const { allS, best } = summary(outcomes, 2);
      console.error(`seed ${seed}  ${name}  best ${best} in ${allS.toFixed(1)} CPU s`);
    }
  }
  const [baseline = []] = found.values();
  const target = median(baseline.map((outcomes) => summary(outcomes, 2).best));
  return (joules) => {
    console.log(
      `Best validation accuracy of even draws in the middle of the seeds: ${percent(target)}.\n`,
    );
    printTable(
      ["search", "best", "CPU s in all", "J in all (estimated)", "found the target", "CPU s to it"],
      [...found].map(([name, runs]) => {
        const sums = runs.map((outcomes) => summary(outcomes, target));
        const reached = sums.flatMap(({ foundS }) => foundS ?? []);
        return row(
          name,
          spread(sums.map(({ best }) => Number((100 * best).toFixed(1)))),
          spread(sums.map(({ allS }) => allS)),
          spread(sums.map(({ allS }) => allS * joules)),
          `${reached.length} of ${sums.length}`,
          reached.length === 0 ? "-" : spread(reached),
        );
      }),
    );
  };
}

const host = createNodeHost();
const meter = createMeter({
  ...{ host, providers: [powerModel], onNotice: () => undefined },
  subject: { kind: "training", name: "bench/efficiency", tags: {} },
});
await meter.start();
const start = process.cpuUsage();
printMachine("energy by the power model, no sensor");
const reports: Report[] = [];
for (const part of options.parts.split(",")) {
  reports.push(part === "search" ? await runSearches() : await runPart(part));
}
const card = await meter.stop();
const net = card.measures.energy?.net;
if (net === undefined) throw new Error("no estimate of the energy");
const seconds = cpuMs(start) / 1000;
for (const report of reports) report(net.value / seconds);
const each = [net.value, net.low, net.high].map((value) => (value / seconds).toPrecision(3));
console.log(
  `${seconds.toFixed(0)} CPU s in all. Median and middle half of the seeds. CPU seconds are measured; joules are\n` +
    `these times ${each[0]} (${each[1]} to ${each[2]}) J, net, ${net.method} by the power model.`,
);
