// Training steps and inference here against PyTorch: the same models, weights and batch, in one run, taking
// turns.
//
//   npx node bench/train/main.ts [--models mlp,lenet] [--threads 1,2] [--rounds 9] [--untuned]
//
// It needs Debian's python3-torch and libopenblas0-openmp, and takes some minutes of a quiet machine.

import { mkdtempSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createNodeHost } from "../../src/core/host/node-host.ts";
import { quantile } from "../../src/core/index.ts";
import { createSession, type Session } from "../../src/engine/index.ts";
import {
  createTrainer,
  crossEntropy,
  sgd,
  type Trainer,
  tuneStep,
} from "../../src/models/train/index.ts";
import { loadOperators, type OperatorTable } from "../../src/onnx/index.ts";
import { cpuMs, printMachine, printTable, row } from "../engine/figures.ts";
import { type Contestant, lenet, mlp, mobilenetLike, transformer } from "./models.ts";
import { type Pools, type Reference, startTorch, type Times, writeContestant } from "./torch.ts";

const RATE = 0.01;
/** Milliseconds that one turn of one engine lasts. */
const TURN_MS = 400;
const WARM_UP = 3;
/** Between turns: threads that spin go on for some 30 ms after the last step. */
const REST_MS = 60;

const { values: options } = parseArgs({
  options: {
    models: { type: "string", default: "mlp,lenet,mobilenet-like,transformer" },
    threads: { type: "string", default: "1,2" },
    rounds: { type: "string", default: "9" },
    /** Timing the ways to write gradients chooses badly where other work disturbs. */
    untuned: { type: "boolean", default: false },
  },
});

/** One engine's step of one kind. */
type Step = (count: number) => Promise<Times>;

/** A comparison of two steps over all rounds. */
interface Outcome {
  readonly ours: number;
  readonly theirs: number;
  /** Ours over theirs, round by round. */
  readonly ratios: readonly number[];
  readonly cpu: number;
  /** Which of our settings counts. */
  readonly setting: string;
}

const operators = await loadOperators(createNodeHost());
const folder = mkdtempSync(join(tmpdir(), "godwit-bench-train-"));
async function main(table: OperatorTable): Promise<void> {
  const wanted = options.models.split(",");
  const all = [mlp, lenet, mobilenetLike, transformer].map((make) => make(table));
  const contestants = all.filter(({ name }) => wanted.includes(name));
  for (const of of contestants) writeContestant(join(folder, of.name), of, RATE);
  printMachine(await versions(contestants[0]));
  await printNumerics(contestants);
  for (const threads of options.threads.split(",").map(Number)) {
    await printTimes(contestants, threads);
  }
  console.log(
    "The reference is old: Debian's PyTorch is of 2022, and a current build (MKL, newer oneDNN) may be\n" +
      "faster. Without OpenBLAS it would be tens of times slower, which would say nothing.",
  );
}

async function versions(of: Contestant | undefined): Promise<string> {
  if (of === undefined) throw new Error(`no model is called ${options.models}`);
  const torch = await startTorch(join(folder, of.name), { torch: 1, blas: 1 });
  torch.close();
  const session = await createSession(of.model, { threads: 1 });
  await session.close();
  return `${session.settings.runtime} ${session.settings.version}, PyTorch ${torch.version} with OpenBLAS`;
}

/** A trainer whose gradients are written in the ways that are the fastest with so many threads. */
async function trainerOf(
  of: Contestant,
  threads: number,
  { momentum = 0, spinning = false } = {},
): Promise<Trainer> {
  const engine = { threads };
  const step = {
    ...{ operators, loss: crossEntropy(), optimizer: sgd({ momentum }) },
    inputs: { [of.input.name]: of.input.dims },
    parameters: of.parameters.map(({ name }) => name),
  };
  const processor = cpus()[0]?.model ?? "unknown";
  const tuning = { ...step, engine, processor, store: answers, budgetMs: 200 };
  const lowerings = options.untuned ? {} : await tuneStep(of.model, tuning);
  return createTrainer(of.model, {
    ...step,
    lowerings,
    thread: "caller",
    engine: { threads, spinning },
  });
}

/** Timings of this run. */
const known = new Map<string, string>();
const answers = {
  read: async (key: string) => known.get(key) ?? null,
  write: async (key: string, text: string) => void known.set(key, text),
};

/** Loss and gradients of the first step; with a momentum the first velocity is the gradient. */
async function printNumerics(contestants: readonly Contestant[]): Promise<void> {
  const rows: string[] = [];
  for (const of of contestants) {
    const torch = await startTorch(join(folder, of.name), { torch: 1, blas: 1 });
    const theirs = await torch.gradients();
    torch.close();
    const trainer = await trainerOf(of, 1, { momentum: 0.9 });
    const { loss } = await trainer.step([of.feeds], RATE);
    const { arrays } = trainer.state();
    await trainer.close();
    let at = 0;
    const errors = of.parameters.map(({ name, values }) => {
      const expected = theirs.values.subarray(at, at + values.length);
      at += values.length;
      return {
        name,
        ...relativeError(arrays.get(`velocity/${name}`) ?? new Float32Array(), expected),
      };
    });
    const whole = Math.sqrt(
      sum(errors, ({ difference }) => difference) / sum(errors, ({ size }) => size),
    );
    const telling = errors.filter(({ size }) => size > 1e-8 * sum(errors, (one) => one.size));
    const worst = telling.toSorted((a, b) => b.relative - a.relative)[0];
    rows.push(
      row(
        of.name,
        Math.abs(loss - theirs.loss).toExponential(1),
        whole.toExponential(1),
        `${worst?.relative.toExponential(1)} (${worst?.name})`,
      ),
    );
  }
  console.log("First step from the same weights and batch, float32 against float32\n");
  printTable(["model", "loss, difference", "gradient, relative", "worst parameter"], rows);
}

function relativeError(
  ours: Float32Array,
  theirs: Float32Array,
): { readonly difference: number; readonly size: number; readonly relative: number } {
  let [difference, size] = [0, 0];
  theirs.forEach((value, at) => {
    difference += ((ours[at] ?? 0) - value) ** 2;
    size += value ** 2;
  });
  return { difference, size, relative: Math.sqrt(difference / size) };
}

const sum = <T>(values: readonly T[], of: (value: T) => number): number =>
  values.reduce((total, value) => total + of(value), 0);

async function printTimes(contestants: readonly Contestant[], threads: number): Promise<void> {
  console.log(
    `${threads} thread${threads === 1 ? "" : "s"}, ${options.rounds} rounds, load ${loadavg()[0]?.toFixed(1)}\n`,
  );
  const outcomes = { train: [] as Outcome[], infer: [] as Outcome[] };
  const rows: string[] = [];
  for (const of of contestants) {
    const { train, infer } = await compare(of, threads);
    outcomes.train.push(train);
    outcomes.infer.push(infer);
    rows.push(rowOf(`${of.name}, step`, train), rowOf(`${of.name}, inference`, infer));
  }
  printTable(
    [
      "",
      "ours, ms",
      "PyTorch, ms",
      "ratio, least",
      "ratio, median (middle half)",
      "ratio, CPU time",
      "our threads, waiting",
    ],
    rows,
  );
  for (const [kind, of] of Object.entries(outcomes)) {
    const means = [of.map((one) => one.ours / one.theirs), of.map((one) => middle(one.ratios))];
    const cpu = geometricMean(of.map((one) => one.cpu));
    const [least = 0, median = 0] = means.map(geometricMean);
    console.log(
      `geometric mean, ${kind}: ${least.toFixed(3)} of the least, ${median.toFixed(3)} of the medians, ${cpu.toFixed(3)} of CPU time`,
    );
  }
  console.log("");
}

const rowOf = (name: string, { ours, theirs, ratios, cpu, setting }: Outcome): string => {
  const sorted = ratios.toSorted((a, b) => a - b);
  const [low, half, high] = [0.25, 0.5, 0.75].map((p) => quantile(sorted, p).toFixed(2));
  return row(
    ...[name, ours.toFixed(2), theirs.toFixed(2), (ours / theirs).toFixed(2)],
    ...[`${half} (${low} to ${high})`, cpu.toFixed(2), setting],
  );
};

const middle = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );

const geometricMean = (values: readonly number[]): number =>
  Math.exp(sum(values, Math.log) / values.length);

async function compare(
  of: Contestant,
  threads: number,
): Promise<{ readonly train: Outcome; readonly infer: Outcome }> {
  const pools: readonly Pools[] =
    threads === 1
      ? [{ torch: 1, blas: 1 }]
      : [
          { torch: threads, blas: threads },
          { torch: threads, blas: 1 },
        ];
  const references: Reference[] = [];
  for (const pool of pools) references.push(await startTorch(join(folder, of.name), pool));
  // PyTorch's threads spin while they wait; ours sleep unless they are told to spin.
  const trainers: Trainer[] = [];
  for (const spinning of threads === 1 ? [false] : [false, true]) {
    trainers.push(await trainerOf(of, threads, { spinning }));
  }
  const session = await createSession(of.model, { threads });
  try {
    const train = await duel(
      trainers.map((trainer) => timed(async () => void (await trainer.step([of.feeds], RATE)))),
      references.map(({ train: step }) => step),
    );
    const infer = await duel(
      [timed(async () => void (await inferOnce(session, of)))],
      references.map(({ infer: step }) => step),
    );
    return { train, infer };
  } finally {
    for (const trainer of trainers) await trainer.close();
    await session.close();
    for (const reference of references) reference.close();
  }
}

const inferOnce = (session: Session, { feeds, input }: Contestant) =>
  session.run({ [input.name]: feeds[input.name] ?? [] });

const timed =
  (act: () => Promise<void>): Step =>
  async (count) => {
    const [cpu, ms] = [cpuMs(), [] as number[]];
    for (let done = 0; done < count; done++) {
      const start = performance.now();
      await act();
      ms.push(performance.now() - start);
    }
    return { ms, cpu: cpuMs() - cpu };
  };

/** Turns of equal length; of several settings of an engine the one with the best median counts. */
async function duel(ours: readonly Step[], theirs: readonly Step[]): Promise<Outcome> {
  const all = [...ours, ...theirs];
  const counts: number[] = [];
  for (const step of all) {
    const { ms } = await step(WARM_UP);
    counts.push(Math.max(3, Math.round(TURN_MS / Math.min(...ms))));
  }
  const turns: Times[][] = all.map(() => []);
  for (let round = 0; round < Number(options.rounds); round++) {
    // The other way round every second time, so that no engine always follows the same one.
    const order = all.map((_, at) => (round % 2 === 0 ? at : all.length - 1 - at));
    for (const at of order) {
      await setTimeout(REST_MS);
      turns[at]?.push((await all[at]?.(counts[at] ?? 1)) as Times);
    }
  }
  const least = (of: readonly Times[]): number => Math.min(...of.flatMap(({ ms }) => ms));
  const typical = (of: readonly Times[]): number => middle(of.map(({ ms }) => middle(ms)));
  const perStep = (of: readonly Times[]): number =>
    middle(of.map(({ cpu, ms }) => cpu / ms.length));
  const bestOf = (some: readonly Times[][]): readonly Times[] =>
    some.toSorted((a, b) => typical(a) - typical(b))[0] ?? [];
  const [mine, rivals] = [turns.slice(0, ours.length), turns.slice(ours.length)];
  const [own, best] = [bestOf(mine), bestOf(rivals)];
  return {
    ours: least(own),
    theirs: least(best),
    ratios: own.map(({ ms }, round) => middle(ms) / middle(best[round]?.ms ?? [])),
    cpu: perStep(own) / Math.min(...rivals.map(perStep)),
    setting: SETTINGS[mine.indexOf(own as Times[])] ?? "",
  };
}

/** What our threads do while they wait. */
const SETTINGS = ["sleep", "spin"] as const;

try {
  await main(operators);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
