// Training a student to match, and keeping what was learnt only where it helps on samples left out.

import { UserError } from "../../../core/index.ts";
import { createSession, type Runtime, withStaticDims } from "../../../engine/index.ts";
import { indexGraph, type Model, type OperatorTable } from "../../../onnx/index.ts";
import { allRows, batched, type Dataset, subset } from "../../data/index.ts";
import {
  adamW,
  cosineRate,
  fit as fitModel,
  type Loss,
  type Optimizer,
  trainableParameters,
  withLoss,
} from "../../train/index.ts";

export interface TeachingOptions {
  readonly operators: OperatorTable;
  readonly seed: number;
  /** Default: 10. */
  readonly epochs?: number;
  /** Default: 16. */
  readonly batchSize?: number;
  /** Learning rate at the start; it falls as a cosine. Default: 1e-3. */
  readonly rate?: number;
  /** Default: AdamW. */
  readonly optimizer?: Optimizer;
  /** Share of the samples that are not trained on, to judge by. Default: 1/5. */
  readonly heldOut?: number;
  readonly runtime?: Runtime;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export interface Learned {
  readonly model: Model;
  /** Loss on the samples left out, before and after training. */
  readonly before: number;
  readonly after: number;
  /** Whether what was learnt was kept: it must lower the loss on samples left out. */
  readonly kept: boolean;
}

/** What is learnt, and from what. */
interface Lesson {
  readonly dataset: Dataset;
  readonly loss: Loss;
  readonly predictions: readonly string[];
}

/** Trains a student on taught samples. Normalisations keep their statistics. */
export async function train(
  student: Model,
  of: Lesson,
  options: TeachingOptions,
): Promise<Learned> {
  const { epochs = 10, batchSize = 16, rate = 1e-3, optimizer = adamW(), threads } = options;
  const { loss, predictions, dataset } = of;
  const [learn, judge] = parted(dataset, options.heldOut ?? 0.2);
  const before = await lossOn(student, { ...of, dataset: judge }, options);
  const result = await fitModel(student, {
    operators: options.operators,
    train: learn,
    loss,
    predictions,
    optimizer,
    schedule: (steps) => cosineRate({ rate, steps }),
    epochs,
    batchSize: Math.min(batchSize, learn.length),
    seed: options.seed,
    parameters: withoutNorms(student, predictions),
    thread: "caller",
    ...(options.signal === undefined ? {} : { signal: options.signal }),
    ...(threads === undefined ? {} : { engine: { threads } }),
  });
  const after = await lossOn(result.model, { ...of, dataset: judge }, options);
  const kept = after < before;
  return { model: kept ? result.model : student, before, after, kept };
}

/** The last rows are left out; callers shuffle what comes sorted. */
function parted(dataset: Dataset, share: number): readonly [Dataset, Dataset] {
  const rows = Array.from({ length: dataset.length }, (_, row) => row);
  const size = Math.max(1, Math.round(share * dataset.length));
  if (size >= dataset.length)
    throw new UserError("invalid-input", `${dataset.length} samples are too few to learn from`, {
      hint: "Give at least some dozens, or leave a smaller share out.",
    });
  return [subset(dataset, rows.slice(0, -size)), subset(dataset, rows.slice(-size))];
}

/** Few samples make poor statistics of a batch: normalisations stay as they are. */
function withoutNorms(model: Model, predictions: readonly string[]): readonly string[] {
  const index = model.graph === undefined ? null : indexGraph(model.graph);
  return trainableParameters(model, predictions).filter((name) =>
    (index?.uses(name) ?? []).every(({ node }) => node.opType !== "BatchNormalization"),
  );
}

/** Rows whose loss is computed in one run: all of them at once would take gigabytes on large inputs. */
const AT_ONCE = 32;

/** The mean loss over a dataset, without training. */
async function lossOn(student: Model, of: Lesson, options: TeachingOptions): Promise<number> {
  const parts = batched(allRows(of.dataset.length), AT_ONCE);
  const full = parts.filter(({ length }) => length === AT_ONCE);
  // A model that computes a loss is of one batch size.
  const sums = [
    await lossOfRuns(student, full, of, options),
    await lossOfRuns(student, parts.slice(full.length), of, options),
  ];
  return sums.reduce((sum, loss) => sum + loss, 0) / of.dataset.length;
}

/** The sum of the rows' losses; each run is of as many rows as the others. */
async function lossOfRuns(
  student: Model,
  runs: readonly (readonly number[])[],
  { dataset, loss, predictions }: Lesson,
  { operators, runtime, signal }: TeachingOptions,
): Promise<number> {
  const [first] = runs;
  if (first === undefined) return 0;
  const inputs = (student.graph?.inputs ?? []).map(({ name }) => name);
  const sample = await dataset.batch(first);
  const shapes = Object.fromEntries(inputs.map((name) => [name, sample.get(name)?.dims ?? []]));
  const judged = withLoss(withStaticDims(student, { shapes }), { operators, loss, predictions });
  const columns = [
    ...inputs.map((name) => [name, name] as const),
    ...judged.targets.map(({ role, input }) => [input, role] as const),
  ];
  const session = await createSession(judged.model, runtime === undefined ? {} : { runtime });
  let sum = 0;
  try {
    for (const rows of runs) {
      signal?.throwIfAborted();
      const batch = await dataset.batch(rows);
      const feeds = Object.fromEntries(
        columns.flatMap(([input, column]) => {
          const value = batch.get(column);
          return value === undefined ? [] : [[input, value]];
        }),
      );
      const outputs = await session.run(feeds, { outputs: [judged.loss] });
      sum += rows.length * Number(outputs[judged.loss]?.data[0]);
    }
  } finally {
    await session.close();
  }
  return sum;
}
