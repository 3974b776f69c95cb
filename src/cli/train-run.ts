// One training run of the command line: metered, stopped by Ctrl-C, kept in the ledger.

import { writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Card } from "../core/card.ts";
import { cacheFolder, createFolderStore } from "../core/host/cache-folder.ts";
import { writeFileAtomic } from "../core/host/write-file-atomic.ts";
import { type Joules, UserError } from "../core/index.ts";
import type { EngineOptions } from "../engine/index.ts";
import type { LedgerPlace } from "../ledger/index.ts";
import type { LocateOptions } from "../measure/carbon/index.ts";
import { identifyMachine, type Meter, type Summary } from "../measure/run/index.ts";
import { metricNamed } from "../models/data/metrics/index.ts";
import {
  augmentOf,
  type Checkpoint,
  chooseParameters,
  encodeCheckpoint,
  type FitOptions,
  type FitResult,
  fit as fitModel,
  logitsOf,
  lossOf,
  mergeLora,
  optimizerOf,
  type Recipe,
  scheduleOf,
  trainableParameters,
  tuneFit,
  withLora,
  writtenBy,
} from "../models/train/index.ts";
import { type Chosen, chooseRows, rowsAsKept } from "../models/train/select/index.ts";
import { encodeModel, type Model, type OperatorTable } from "../onnx/index.ts";
import type { CliContext } from "./context.ts";
import { type KeptCard, startRun } from "./metered-run.ts";
import { factsOf, type Outcome } from "./train-facts.ts";
import type { TrainInputs } from "./train-inputs.ts";
import { createProgress } from "./train-progress.ts";

export interface TrainJob {
  readonly name: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly operators: OperatorTable;
  readonly output: string;
  readonly checkpointFile: string;
  readonly resume: Checkpoint | null;
  /** Whether the ways to write gradients are timed first. */
  readonly tune: boolean;
  readonly maxEnergy: Joules | null;
  readonly place: LedgerPlace;
  readonly signal: LocateOptions;
  readonly quiet: boolean;
}

export interface Trained extends KeptCard, Omit<Outcome, "choosing"> {
  /** The signal that ended it; null when none did. */
  readonly signal: NodeJS.Signals | null;
}

/** Trains, writes the model and its recipe, keeps the card. */
export async function runTraining(
  context: CliContext,
  inputs: TrainInputs,
  job: TrainJob,
): Promise<Trained> {
  const { place, signal, name, tags } = job;
  const run = await startRun(context, {
    subject: { kind: "training", name, tags: { ...tags } },
    ...{ place, signal },
  });
  const { meter } = run;
  const stopping = listenForStop();
  let outcome: Outcome;
  try {
    outcome = await train(context, inputs, { job, meter, signal: stopping.signal });
    await writeOutcome(outcome.result.model, outcome.recipe, job.output);
  } catch (error) {
    await run.fail();
    throw error;
  } finally {
    stopping.end();
  }
  const resumed = job.resume !== null;
  const { result, recipe, rows } = outcome;
  const { notes, ...told } = await factsOf(inputs, { outcome, output: job.output, resumed });
  for (const note of notes) meter.note(note);
  tellFacts(context, inputs, result);
  const kept = await run.finish({ ...told, status: statusOf(result) });
  return { ...kept, result, recipe, rows, signal: stopping.seen() };
}

/**
 * A run inside `godwit run` tells it how good it was: by the validation rows where there are any, so that a
 * search over runs does not choose by the rows that are to judge its outcome.
 */
function tellFacts({ env }: CliContext, { parts, recipe }: TrainInputs, { best }: FitResult): void {
  const file = env["GODWIT_FACTS"];
  if (file === undefined || best === null) return;
  const split = parts.validation?.name;
  const quality = { metric: recipe.metric, value: best.value, ...(split ? { split } : {}) };
  writeFileSync(file, JSON.stringify({ quality }));
}

function statusOf({ stopped }: FitResult): Card["status"] {
  if (stopped === "aborted") return "interrupted";
  return stopped === "not-finite" ? "failed" : "complete";
}

/** Aborts at the first signal; a second one ends the process as it always does. */
function listenForStop() {
  const controller = new AbortController();
  let seen: NodeJS.Signals | null = null;
  const names = ["SIGINT", "SIGTERM"] as const;
  const stop = (name: NodeJS.Signals): void => {
    seen = name;
    end();
    controller.abort(new Error(`stopped by ${name}`));
  };
  const end = (): void => {
    for (const name of names) process.off(name, stop);
  };
  for (const name of names) process.on(name, stop);
  return { signal: controller.signal, seen: () => seen, end };
}

async function train(
  context: CliContext,
  inputs: TrainInputs,
  of: { readonly job: TrainJob; readonly meter: Meter; readonly signal: AbortSignal },
): Promise<Outcome> {
  const { job, meter, signal } = of;
  const { recipe, parts, external } = inputs;
  const { model, options, finish } = plannedRun(inputs, job);
  const kept = job.resume?.rows;
  const chosen =
    kept === undefined
      ? await choose(model, { ...options, signal }, { recipe, meter })
      : rowsAsKept(kept, options, recipe);
  const rows = { chosen: chosen.rows.length, of: parts.train.length };
  const { train, order } = chosen;
  const rowed = { ...options, train, ...(order === undefined ? {} : { order }) };
  const ways = job.tune ? await tune(context, model, { options: rowed, meter }) : recipe.ways;
  const told: Recipe = { ...recipe, ...(ways === undefined ? {} : { ways }) };
  const soFar = throttled(context, () => meter.soFar());
  const progress = createProgress(context, { metric: recipe.metric, soFar, quiet: job.quiet });
  try {
    const result = await fitModel(model, {
      ...rowed,
      ...(parts.validation === null ? {} : { validation: parts.validation }),
      ...(ways === undefined ? {} : { lowerings: writtenBy(ways) }),
      ...{ meter, signal, recipe: JSON.stringify(told) },
      ...(job.maxEnergy === null ? {} : { maxEnergy: job.maxEnergy }),
      usedEnergy: () => soFar()?.energy?.value ?? null,
      onProgress: (now) => progress.see(now),
      ...(job.resume === null ? {} : { resume: job.resume }),
      save: (checkpoint) =>
        writeFileAtomic(
          job.checkpointFile,
          encodeCheckpoint({ ...checkpoint, ...keptOf(chosen, recipe) }),
        ),
      ...(external === undefined ? {} : { external }),
    });
    progress.end(result.history);
    const finished = { ...result, model: finish(result.model) };
    return { result: finished, recipe: told, rows, choosing: chosen.forwards };
  } catch (error) {
    progress.end();
    throw error;
  }
}

/** The model as it is trained, and how: all that follows from the recipe alone. */
function plannedRun(
  { model, parts, recipe, external }: TrainInputs,
  { operators }: TrainJob,
): { readonly model: Model; readonly options: FitOptions; finish(trained: Model): Model } {
  const logits = readsLogits(recipe) ? logitsOf(model) : (model.graph?.outputs[0]?.name ?? "");
  const adapted = adaptedModel(model, recipe, logits);
  const augment = augmentOf(recipe.augment);
  const options: FitOptions = {
    ...{ operators, train: parts.train, predictions: [logits] },
    ...{ loss: lossOf(recipe.loss), metric: metricNamed(recipe.metric) },
    optimizer: optimizerOf(recipe.optimizer),
    schedule: (updates) => scheduleOf(recipe.schedule, updates),
    ...pick(recipe, ["epochs", "batchSize", "accumulate", "seed"]),
    ...pick(recipe, ["clipNorm", "average", "patience", "columns"]),
    ...(augment === null ? {} : { augment }),
    parameters: adapted.parameters,
    engine: engineOf(recipe),
    ...(external === undefined ? {} : { external }),
  };
  return { model: adapted.model, options, finish: adapted.finish };
}

const engineOf = ({ threads, spin }: Recipe): EngineOptions => ({
  ...(threads === undefined ? {} : { threads }),
  ...(spin === undefined ? {} : { spinning: spin }),
});

/** The rows of the run. What choosing takes is a span of its own on the card. */
async function choose(
  model: Model,
  options: FitOptions,
  { recipe, meter }: { readonly recipe: Recipe; readonly meter: Meter },
): Promise<Chosen> {
  const { select, curriculum } = recipe;
  if (select === undefined && curriculum === undefined) return chooseRows(model, options, {});
  const span = await meter.openSpan("choosing rows");
  try {
    return await chooseRows(model, options, { select, curriculum });
  } catch (error) {
    if (!options.signal?.aborted || error !== options.signal.reason) throw error;
    throw new UserError("usage", "interrupted while rows were chosen: nothing is trained yet", {
      hint: "Start again; there is no checkpoint to go on from.",
    });
  } finally {
    await span.close();
  }
}

/** What a checkpoint keeps of the rows, where there was something to choose. */
const keptOf = (
  { rows, easiestFirst }: Chosen,
  { select, curriculum }: Recipe,
): Pick<Checkpoint, "rows"> =>
  select === undefined && curriculum === undefined ? {} : { rows: { rows, easiestFirst } };

/** The fastest ways to write gradients here; answers are kept for this user. */
async function tune(
  context: CliContext,
  model: Model,
  { options, meter }: { readonly options: FitOptions; readonly meter: Meter },
): Promise<Readonly<Record<string, string>>> {
  const span = await meter.openSpan("timing ways to write gradients");
  try {
    const { cpu } = await identifyMachine(context.host);
    const store = createFolderStore(join(cacheFolder(context.env), "gradients"));
    const { ways } = await tuneFit(model, options, { processor: cpu.name, store });
    return ways;
  } finally {
    await span.close();
  }
}

/** Whether the loss is on numbers before a Softmax or Sigmoid. */
const readsLogits = ({ loss }: Recipe): boolean =>
  ["cross-entropy", "binary-cross-entropy", "kl-divergence"].includes(loss.kind);

interface Adapted {
  readonly model: Model;
  readonly parameters: readonly string[];
  /** The model to hand out, from the one that was trained. */
  finish(trained: Model): Model;
}

/** The model with additions of low rank where the recipe wants them, and what is trained of it. */
function adaptedModel(model: Model, recipe: Recipe, output: string): Adapted {
  const { only, freeze, lora, seed } = recipe;
  const names = trainableParameters(model, [output]);
  const patterns = { ...pick({ only, freeze }, ["only", "freeze"]) };
  if (lora === undefined) {
    const parameters = chooseParameters(names, patterns);
    return { model, parameters, finish: (trained) => trained };
  }
  const targets = new Set(
    chooseParameters(names, lora.targets === undefined ? {} : { only: lora.targets }),
  );
  const alpha = lora.alpha === undefined ? {} : { alpha: lora.alpha };
  const made = withLora(model, {
    ...{ rank: lora.rank, seed, ...alpha },
    targets: (weight) => targets.has(weight),
  });
  const also = only === undefined ? [] : chooseParameters(names, patterns);
  return {
    model: made.model,
    parameters: [...made.parameters, ...also],
    finish: (trained) => mergeLora(model, trained, made),
  };
}

/** Adding up a run's records takes time, so it is done once a second at most. */
function throttled({ host }: CliContext, ask: () => Summary): () => Summary | null {
  let last = Number.NEGATIVE_INFINITY;
  let known: Summary | null = null;
  return () => {
    const now = host.wall();
    if (now - last >= 1000) [last, known] = [now, ask()];
    return known;
  };
}

/** The model, and beside it the recipe that makes it again. */
async function writeOutcome(model: Model, recipe: Recipe, output: string): Promise<void> {
  await writeFileAtomic(output, encodeModel(model));
  await writeFileAtomic(recipeFileOf(output), `${JSON.stringify(recipe, null, 2)}\n`);
}

/** `model.onnx` has `model.recipe.json`. */
export const recipeFileOf = (output: string): string =>
  `${output.replace(/\.onnx$/, "")}.recipe.json`;

/** Some fields of an object, those that are undefined left out. */
function pick<T extends object, K extends keyof T>(
  of: T,
  keys: readonly K[],
): { [P in K]: Exclude<T[P], undefined> } {
  const found = keys.flatMap((key) => (of[key] === undefined ? [] : [[key, of[key]]]));
  return Object.fromEntries(found);
}

/** Name of a run that was given none: network or file, and data. */
export function nameOfRun({ model, data }: Recipe): string {
  const what = "net" in model ? model.net : basename(model.file, ".onnx");
  return `${what} on ${basename(data)}`;
}
