// The loop: epochs of steps over shuffled batches, judged after each epoch, until it is enough.
//
// A run follows from its options and its seed alone: where it was interrupted it goes on from its
// checkpoint as if nothing had happened, bit by bit.

import { createRandom, type Random } from "../../core/index.ts";
import type { Model } from "../../onnx/index.ts";
import { allRows, batched, type Dataset, shuffled } from "../data/index.ts";
import { prefetched } from "./batches.ts";
import type { Checkpoint, EpochRecord, Position } from "./checkpoint.ts";
import { createEvaluator, type Evaluator } from "./evaluate.ts";
import { checkOptions, type FitOptions, type FitResult, type Stop } from "./fit-options.ts";
import { trainableParameters } from "./parameters.ts";
import type { Schedule } from "./schedule.ts";
import { tuneStep } from "./step.ts";
import { type Batch, createTrainer, type Trainer, type TrainingState } from "./trainer.ts";
import type { TunedLowerings, TuneLoweringsOptions } from "./tune-lowerings.ts";
import { type Wire, wired, wireInputs, wireTargets } from "./wiring.ts";

/** Trains a model. Throws UserError for what cannot be trained or fed, naming it. */
export async function fit(model: Model, options: FitOptions): Promise<FitResult> {
  checkOptions(options);
  const { train, columns } = options;
  const { inputs, options: trained } = trainerOptions(model, options);
  const trainer = await createTrainer(model, trained);
  const evaluator = evaluatorFor(trainer, options);
  try {
    const wires = [...inputs, ...wireTargets(trainer.targets, train, columns)];
    const run = startRun(options, { trainer, evaluator, wires });
    const stopped = await runToTheEnd(run);
    return resultOf(run, stopped);
  } finally {
    await Promise.all([trainer.close(), evaluator?.close()]);
  }
}

/**
 * The fastest ways here to write the gradients of a run, by timing each; for its `lowerings`. The answer holds
 * for one machine and may be another each time: keep its `ways` to make the same run again.
 */
export async function tuneFit(
  model: Model,
  options: FitOptions,
  tuning: Pick<TuneLoweringsOptions, "processor" | "store" | "budgetMs" | "onCase">,
): Promise<TunedLowerings> {
  checkOptions(options);
  return tuneStep(model, { ...trainerOptions(model, options).options, ...tuning });
}

/** The wires of the inputs, and the trainer's options, which say their sizes and what is trained. */
function trainerOptions(model: Model, options: FitOptions) {
  const inputs = wireInputs(model, options.train, options.columns);
  const sizes = inputs.map(({ input, dims }) => [input, [options.batchSize, ...dims]] as const);
  const parameters = options.parameters ?? trainableParameters(model, options.predictions);
  return { inputs, options: { ...options, parameters, inputs: Object.fromEntries(sizes) } };
}

/** A run under way. */
interface Run {
  readonly options: FitOptions;
  readonly trainer: Trainer;
  /** Null where there are no validation rows. */
  readonly evaluator: Evaluator | null;
  readonly wires: readonly Wire[];
  readonly updatesPerEpoch: number;
  readonly schedule: Schedule;
  readonly notices: string[];
  position: Position;
  /** What was learnt by the best epoch. */
  best: Checkpoint["best"];
  /** What the run falls back on when numbers are no longer finite. */
  good: { readonly position: Position; readonly state: TrainingState };
}

const START: Position = { epochs: 0, updates: 0, lossSum: 0, history: [], best: null };

function startRun(options: FitOptions, parts: Pick<Run, "trainer" | "evaluator" | "wires">): Run {
  const { train, batchSize, epochs, resume } = options;
  const { trainer } = parts;
  const updatesPerEpoch = Math.floor(train.length / (batchSize * trainer.batchesPerUpdate));
  if (resume !== undefined) trainer.restore(resume.state);
  const position = resume?.position ?? START;
  return {
    ...{ options, ...parts, updatesPerEpoch, position },
    schedule: options.schedule(updatesPerEpoch * epochs),
    notices: [],
    best: resume?.best ?? null,
    good: { position, state: trainer.state() },
  };
}

async function runToTheEnd(run: Run): Promise<Stop> {
  const { options } = run;
  let stopped: Stop | null = run.position.epochs >= options.epochs ? "epochs" : null;
  while (stopped === null) {
    stopped = await runEpoch(run);
    if (stopped === "not-finite") fallBack(run);
    await options.save?.(checkpointOf(run));
  }
  return stopped;
}

/** One epoch, or the rest of one. Null when the run goes on. */
async function runEpoch(run: Run): Promise<Stop | null> {
  const { options, updatesPerEpoch, schedule } = run;
  const epoch = run.position.epochs + 1;
  const span = await options.meter?.openSpan(`epoch ${epoch}`);
  const begun = performance.now();
  // The last update of an epoch shows in no loss of it.
  const early = (await runSteps(run)) ?? (run.trainer.finite() ? null : "not-finite");
  const validation = early === null ? await judge(run) : null;
  const used = await span?.close();
  if (early !== null) return early;
  if (validation === "aborted") return validation;
  if (validation !== null && !Number.isFinite(validation)) return "not-finite";
  record(run, {
    epoch,
    loss: run.position.lossSum / updatesPerEpoch,
    rate: schedule(epoch * updatesPerEpoch - 1),
    validation,
    seconds: used?.duration ?? (performance.now() - begun) / 1000,
    joules: used?.energy?.value ?? null,
    grams: used?.emissions?.value ?? null,
  });
  return enough(run);
}

/** The updates of an epoch that are still to be made. Null when all of them were. */
async function runSteps(run: Run): Promise<Stop | null> {
  const { options, trainer, wires, updatesPerEpoch, schedule } = run;
  const { train, epochs, augment } = options;
  const { batchesPerUpdate } = trainer;
  const epoch = run.position.epochs;
  let waiting: Batch[] = [];
  let at = run.position.updates * batchesPerUpdate;
  for await (const columns of prefetched(train, batchesOf(run).slice(at))) {
    const batch = wired(columns, wires);
    waiting.push(augment === undefined ? batch : augment(batch, randomOf(run, epoch, ++at)));
    if (waiting.length < batchesPerUpdate) continue;
    const rate = schedule(epoch * updatesPerEpoch + run.position.updates);
    const { loss } = await trainer.step(waiting, rate);
    waiting = [];
    if (!Number.isFinite(loss)) return "not-finite";
    const update = run.position.updates + 1;
    const lossSum = run.position.lossSum + loss;
    run.position = { ...run.position, updates: update, lossSum };
    const { history } = run.position;
    const now = { epoch: epoch + 1, epochs, update, updates: updatesPerEpoch };
    options.onProgress?.({ ...now, loss: lossSum / update, rate, history });
    if (options.signal?.aborted) return "aborted";
    if (isOver(options, options.usedEnergy?.() ?? null)) return "energy";
  }
  return null;
}

/** Row numbers of all batches of the epoch under way. */
function batchesOf({ options, trainer, updatesPerEpoch, position }: Run): number[][] {
  const { train, batchSize, order = inAnyOrder(train) } = options;
  const rows = order(position.epochs, seeded(options.seed, position.epochs, 0));
  const count = updatesPerEpoch * trainer.batchesPerUpdate;
  if (rows.length < count * batchSize) {
    throw new RangeError(`${rows.length} rows for an epoch of ${count * batchSize}`);
  }
  return batched(rows, batchSize).slice(0, count);
}

const inAnyOrder =
  ({ length }: Dataset) =>
  (_epoch: number, random: Random): readonly number[] =>
    shuffled(allRows(length), random);

const randomOf = ({ options }: Run, epoch: number, batch: number): Random =>
  seeded(options.seed, epoch, batch);

/** Distance between the seeds of neighbours: more than an epoch has batches, or a run epochs. */
const STRIDE = 1_000_003;

/** Chance of its own for each batch, whatever came before it; batch 0 is the order of the epoch. */
const seeded = (seed: number, epoch: number, batch: number): Random =>
  createRandom((seed * STRIDE + epoch) * STRIDE + batch);

/** What judges by the validation rows; null where there are none. */
function evaluatorFor(trainer: Trainer, options: FitOptions): Evaluator | null {
  const { validation, metric, predictions, columns, engine, signal, thread } = options;
  if (validation === undefined || metric === undefined) return null;
  // Losses may read logits where the model gives probabilities.
  const output = trainer.outputs.find((name) => name === predictions?.[0]);
  return createEvaluator(validation, {
    metric,
    ...(output === undefined ? {} : { output }),
    ...(columns === undefined ? {} : { columns }),
    ...(engine === undefined ? {} : { engine }),
    ...(signal === undefined ? {} : { signal }),
    ...(thread === undefined ? {} : { thread }),
  });
}

/** Quality on the validation rows; null where there are none. */
async function judge({ options, trainer, evaluator }: Run): Promise<number | "aborted" | null> {
  const { signal } = options;
  if (evaluator === null) return null;
  try {
    return (await evaluator.evaluate(trainer.model())).value;
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return "aborted";
    throw error;
  }
}

/** Closes the books on an epoch. */
function record(run: Run, entry: EpochRecord): void {
  const { epoch, validation } = entry;
  const { metric } = run.options;
  const { best: top, history } = run.position;
  const sign = metric?.better === "lower" ? -1 : 1;
  const isBest = validation !== null && (top === null || sign * (validation - top.value) > 0);
  const state = run.trainer.state();
  if (isBest) run.best = state.arrays;
  run.position = {
    ...{ epochs: epoch, updates: 0, lossSum: 0, history: [...history, entry] },
    best: isBest ? { epoch, value: validation } : top,
  };
  run.good = { position: run.position, state };
}

/** Why the run ends after an epoch; null when it goes on. */
function enough({ options, position }: Run): Stop | null {
  const { epochs, history, best } = position;
  if (epochs >= options.epochs) return "epochs";
  if (options.signal?.aborted) return "aborted";
  const { patience } = options;
  if (patience !== undefined && epochs - (best?.epoch ?? 0) >= patience) return "patience";
  const used = history.map(({ joules }) => joules).filter((joules) => joules !== null);
  const sum = used.length < epochs ? null : used.reduce((total, joules) => total + joules, 0);
  return isOver(options, sum) ? "energy" : null;
}

const isOver = ({ maxEnergy }: FitOptions, used: number | null): boolean =>
  maxEnergy !== undefined && used !== null && used > maxEnergy;

function fallBack(run: Run): void {
  const { trainer, position, good, options } = run;
  const where = `in update ${position.updates + 1} of epoch ${position.epochs + 1}`;
  const text = `numbers were no longer finite ${where}; kept is the state after epoch ${good.position.epochs}. A lower learning rate or a bound on the gradient may help.`;
  run.notices.push(text);
  options.meter?.note(text);
  trainer.restore(good.state);
  run.position = good.position;
}

const checkpointOf = ({ position, trainer, best, options }: Run): Checkpoint => ({
  ...{ position, best, state: trainer.state() },
  recipe: options.recipe ?? "",
});

function resultOf(run: Run, stopped: Stop): FitResult {
  const { trainer, position, notices } = run;
  const checkpoint = checkpointOf(run);
  if (run.best !== null) trainer.restore({ ...checkpoint.state, arrays: run.best });
  const model = trainer.model();
  const { history, best } = position;
  const { parameters } = trainer;
  return { model, stopped, history, best, checkpoint, parameters, notices };
}
