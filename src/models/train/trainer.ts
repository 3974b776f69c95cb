// Runs training steps. The graph computes on a thread of its own; parameters and state lie in memory
// that both threads see, each array that is read and written twice, the two changing places.

import { UserError } from "../../core/index.ts";
import {
  createSession,
  createWorkerSession,
  type EngineOptions,
  type Feed,
  type RuntimeName,
  type Session,
  type TensorValue,
} from "../../engine/index.ts";
import { type ExternalData, elementsOf, type Model, tensorOf } from "../../onnx/index.ts";
import type { DifferentiateOptions } from "./differentiate.ts";
import { drawMasks } from "./dropout-masks.ts";
import { graphOf, withInitializers } from "./graph-surgery.ts";
import { buildStep, type Step, type StepOptions } from "./step.ts";
import type { TargetInput } from "./with-loss.ts";
import type { StateEntry } from "./with-optimizer.ts";

export interface TrainerOptions extends StepOptions {
  readonly engine?: EngineOptions & { readonly runtime?: RuntimeName };
  /** Where steps are computed. On the caller's thread nothing else of it runs. Default: own. */
  readonly thread?: "own" | "caller";
  /** Finds weights that lie in other files. */
  readonly external?: ExternalData;
}

/** Tensors of one batch by the names of the graph's inputs. */
export type Batch = Readonly<Record<string, Feed>>;

export interface StepResult {
  /** Mean over the batches of the step. */
  readonly loss: number;
  /** Norm of the gradient before it was shortened; null where it is not bounded. */
  readonly gradientNorm: number | null;
}

/** All that a training run has come to: enough to go on with, bit by bit. */
export interface TrainingState {
  /** Updates made. */
  readonly updates: number;
  /** Parameters, state of the optimiser, averages and statistics, by name. */
  readonly arrays: ReadonlyMap<string, Float32Array>;
}

export interface Trainer extends AsyncDisposable {
  /** Inputs for the truth, beside the model's own. */
  readonly targets: readonly TargetInput[];
  readonly batchesPerUpdate: number;
  /** Names of the model's own outputs. */
  readonly outputs: readonly string[];
  /** How many numbers are trained. */
  readonly parameters: number;
  /** One update from as many batches as it takes. Steps must not overlap. */
  step(batches: readonly Batch[], rate: number): Promise<StepResult>;
  /** Whether all parameters are finite numbers. */
  finite(): boolean;
  /** A copy. */
  state(): TrainingState;
  /** Throws UserError where the state is of another model or optimiser. */
  restore(state: TrainingState): void;
  /**
   * The model in inference form with what was learnt: averages in place of parameters where they are
   * kept.
   */
  model(): Model;
  /** Waits for the step under way and gives the memory back. */
  close(): Promise<void>;
}

/** Prepares a model to be trained. Throws UserError for what cannot be trained, naming it. */
export async function createTrainer(model: Model, options: TrainerOptions): Promise<Trainer> {
  const step = buildStep(model, { ...options, lowerings: loweringsFor(options) });
  const memory = allocate(model, step, options.external);
  const open = (graph: Model): Promise<Session> => {
    const settings = { name: "the training step", ...options.engine };
    return options.thread === "caller"
      ? createSession(graph, settings)
      : createWorkerSession(graph, settings);
  };
  const update = await open(step.update.model);
  const gradient = step.accumulation === null ? null : await open(step.accumulation.model);
  return trainerOf({ model, step, memory, update, gradient, seed: options.seed ?? 0 });
}

/** What the engine cannot do must not be in the step: each target has ways of its own. */
function loweringsFor({ engine, lowerings }: TrainerOptions): DifferentiateOptions["lowerings"] {
  return engine?.runtime === "webgpu" ? { target: "webgpu", ...lowerings } : lowerings;
}

/** One array that lives from step to step, and the one it changes places with. */
interface Cell {
  readonly entry: StateEntry;
  now: TensorValue & { readonly data: Float32Array };
  next: TensorValue & { readonly data: Float32Array };
}

interface Memory {
  readonly cells: readonly Cell[];
  readonly sums: readonly Cell[];
}

interface Parts {
  readonly model: Model;
  readonly step: Step;
  readonly memory: Memory;
  readonly update: Session;
  readonly gradient: Session | null;
  readonly seed: number;
}

/** Distance between the seeds of two runs: more than any of them has batches. */
const SEED_STRIDE = 1_000_003;

function trainerOf({ model, step, memory, update, gradient, seed }: Parts): Trainer {
  const { cells, sums } = memory;
  const statistics = cells.filter(({ entry }) => entry.role === "statistic");
  const learnt = cells.filter(({ entry }) => entry.role !== "statistic");
  const parameters = cells.filter(({ entry }) => entry.role === "parameter");
  let updates = 0;

  const run = async (
    session: Session,
    of: {
      readonly feeds: Batch;
      readonly reads: readonly Cell[];
      readonly writes: readonly Cell[];
    },
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, TensorValue>>> => {
    const fed = of.reads.map(({ entry, now }) => [entry.input, now] as const);
    const into = of.writes.map(({ entry, next }) => [entry.output, next] as const);
    const results = await session.run(
      { ...of.feeds, ...Object.fromEntries(fed) },
      { outputs, into: Object.fromEntries(into) },
    );
    for (const cell of of.writes) [cell.now, cell.next] = [cell.next, cell.now];
    return results;
  };
  const scalars = (rate: number): Batch => {
    const values = Object.entries(step.update.scalars(updates + 1, rate));
    return Object.fromEntries(values.map(([name, value]) => [name, Float32Array.of(value)]));
  };
  /** Those of a batch, whichever run of a graph they are for. */
  const masks = (index: number): Batch =>
    drawMasks(step.masks, seed * SEED_STRIDE + updates * step.batchesPerUpdate + index);
  const norms = step.update.norm === null ? [] : [step.update.norm];
  const normOf = (results: Readonly<Record<string, TensorValue>>): number | null =>
    step.update.norm === null ? null : numberIn(results, step.update.norm);

  const single = async (batch: Batch, rate: number): Promise<StepResult> => {
    const feeds = { ...batch, ...masks(0), ...scalars(rate) };
    const of = { feeds, reads: cells, writes: cells };
    const results = await run(update, of, [step.loss, ...norms]);
    return { loss: numberIn(results, step.loss), gradientNorm: normOf(results) };
  };
  const several = async (
    session: Session,
    batches: readonly Batch[],
    rate: number,
  ): Promise<StepResult> => {
    for (const { now } of sums) now.data.fill(0);
    let loss = 0;
    for (const [index, batch] of batches.entries()) {
      const feeds = { ...batch, ...masks(index) };
      const reads = [...parameters, ...sums, ...statistics];
      const of = { feeds, reads, writes: [...sums, ...statistics] };
      loss += numberIn(await run(session, of, [step.loss]), step.loss) / batches.length;
    }
    const of = { feeds: scalars(rate), reads: [...learnt, ...sums], writes: learnt };
    return { loss, gradientNorm: normOf(await run(update, of, norms)) };
  };

  return {
    targets: step.targets,
    batchesPerUpdate: step.batchesPerUpdate,
    outputs: graphOf(model).outputs.map(({ name }) => name),
    parameters: parameters.reduce((sum, { now }) => sum + now.data.length, 0),
    async step(batches, rate) {
      if (batches.length !== step.batchesPerUpdate) {
        throw new RangeError(`${batches.length} batches, ${step.batchesPerUpdate} make an update`);
      }
      const [first = {}] = batches;
      const result = await (gradient === null
        ? single(first, rate)
        : several(gradient, batches, rate));
      updates++;
      return result;
    },
    finite: () => parameters.every(({ now }) => now.data.every(Number.isFinite)),
    state: () => ({
      updates,
      arrays: new Map(cells.map(({ entry, now }) => [entry.name, Float32Array.from(now.data)])),
    }),
    restore(state) {
      checkState(cells, state);
      for (const { entry, now } of cells) now.data.set(state.arrays.get(entry.name) ?? []);
      updates = state.updates;
    },
    model: () => inferenceModel(model, cells),
    async close() {
      await Promise.all([update.close(), gradient?.close()]);
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}

/** Memory for all arrays, with the model's own weights in it. */
function allocate(model: Model, step: Step, external?: ExternalData): Memory {
  const weights = new Map(graphOf(model).initializers.map((tensor) => [tensor.name, tensor]));
  const start = ({ name, role }: StateEntry): ArrayLike<number> => {
    const tensor = weights.get(role === "average" ? name.replace("average/", "") : name);
    return role === "slot" || tensor === undefined
      ? []
      : (elementsOf(tensor, external) as Float32Array);
  };
  const cellOf = (entry: StateEntry): Cell => {
    const now = tensor(entry.dims);
    now.data.set(start(entry));
    return { entry, now, next: entry.inPlace ? now : tensor(entry.dims) };
  };
  return {
    cells: step.entries.map(cellOf),
    sums: (step.accumulation?.sums ?? []).map(cellOf),
  };
}

/** Zeros in memory that all threads see. */
function tensor(dims: readonly number[]): TensorValue & { readonly data: Float32Array } {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const data = new Float32Array(new SharedArrayBuffer(4 * size));
  return { dataType: "float32", dims, data };
}

function numberIn(results: Readonly<Record<string, TensorValue>>, name: string): number {
  return Number(results[name]?.data[0] ?? Number.NaN);
}

function checkState(cells: readonly Cell[], { arrays }: TrainingState): void {
  for (const { entry, now } of cells) {
    const length = arrays.get(entry.name)?.length;
    if (length === now.data.length) continue;
    const found = length === undefined ? "it has none" : `it has one of ${length} numbers`;
    throw new UserError(
      "invalid-input",
      `the state does not fit: "${entry.name}" takes ${now.data.length} numbers, ${found}`,
      { hint: "Resume with the model, the optimiser and the settings that the run began with." },
    );
  }
}

function inferenceModel(model: Model, cells: readonly Cell[]): Model {
  const arrays = new Map(cells.map((cell) => [cell.entry.name, cell] as const));
  const kept = cells.filter(
    ({ entry }) => entry.role === "parameter" || entry.role === "statistic",
  );
  const tensors = kept.map(({ entry: { name, dims }, now }) => {
    const values = (arrays.get(`average/${name}`)?.now ?? now).data;
    return [name, tensorOf("float32", { name, dims, values })] as const;
  });
  return withInitializers(model, new Map(tensors));
}
