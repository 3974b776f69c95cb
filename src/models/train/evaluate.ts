// A model's quality on a dataset: all rows through the model, one metric over all of them. Of models that
// are judged one after the other only the weights need be new: the thread they are computed on stays.

import { UserError } from "../../core/index.ts";
import {
  createSession,
  createWorkerSession,
  type EngineOptions,
  type RuntimeName,
  type Session,
  type TensorElements,
  type TensorValue,
  type WorkerSession,
} from "../../engine/index.ts";
import type { Model } from "../../onnx/index.ts";
import { allRows, batched, type Dataset, readColumn } from "../data/index.ts";
import type { Metric, Quality } from "../data/metrics/index.ts";
import { prefetched } from "./batches.ts";
import { graphOf } from "./graph-surgery.ts";
import { truthColumn, type WiringChoice, wired, wireInputs } from "./wiring.ts";

export interface EvaluateOptions {
  readonly metric: Metric;
  /** The output that is judged. Default: the first. */
  readonly output?: string;
  /** Rows that go through the model at once. Default: 64. */
  readonly batchSize?: number;
  readonly columns?: WiringChoice;
  readonly engine?: EngineOptions & { readonly runtime?: RuntimeName };
  /** Where the model is computed. On the caller's thread nothing else of it runs. Default: own. */
  readonly thread?: "own" | "caller";
  readonly signal?: AbortSignal;
  /** Folder of the data files that a model refers to. */
  readonly dataFolder?: string;
  readonly onRows?: (done: number) => void;
}

const DEFAULT_BATCH = 64;

/** Judges models one after the other on the same rows. */
export interface Evaluator {
  /**
   * The metric over the whole dataset. Throws UserError where columns and inputs do not fit, and the
   * signal's reason when it is aborted.
   */
  evaluate(model: Model): Promise<Quality>;
  close(): Promise<void>;
}

/** An evaluator, which has one thread for all models. Close it. */
export function createEvaluator(dataset: Dataset, options: EvaluateOptions): Evaluator {
  const { metric, signal, columns } = options;
  const place = placeFor(options);
  return {
    async evaluate(model) {
      const predictions = await predictAt(place, model, dataset, options);
      signal?.throwIfAborted();
      return metric.of(predictions, await readColumn(dataset, truthColumn(dataset, columns)));
    },
    close: () => place.close(),
  };
}

/** The metric of one model over a whole dataset; throws what an evaluator does. */
export async function evaluate(
  model: Model,
  dataset: Dataset,
  options: EvaluateOptions,
): Promise<Quality> {
  const evaluator = createEvaluator(dataset, options);
  try {
    return await evaluator.evaluate(model);
  } finally {
    await evaluator.close();
  }
}

type PredictOptions = Omit<EvaluateOptions, "metric">;

/** An output of the model for every row of a dataset, in its order. */
export async function predict(
  model: Model,
  dataset: Dataset,
  options: PredictOptions,
): Promise<TensorValue> {
  const place = placeFor(options);
  try {
    return await predictAt(place, model, dataset, options);
  } finally {
    await place.close();
  }
}

/** Where a model is computed, and then another. */
interface Place {
  open(model: Model): Promise<Session>;
  close(): Promise<void>;
}

function placeFor({ engine, dataFolder, thread }: PredictOptions): Place {
  const settings = { ...engine, ...(dataFolder === undefined ? {} : { dataFolder }) };
  return thread === "caller" ? placeHere(settings) : placeOnThread(settings);
}

type PlaceSettings = NonNullable<EvaluateOptions["engine"]> & { readonly dataFolder?: string };

function placeHere(settings: PlaceSettings): Place {
  let session: Session | null = null;
  return {
    async open(model) {
      await session?.close();
      session = await createSession(model, settings);
      return session;
    },
    close: async () => session?.close(),
  };
}

/** V8 can abort where many threads come and go (nodejs/node 64500), so that one stays. */
function placeOnThread(settings: PlaceSettings): Place {
  let session: WorkerSession | null = null;
  return {
    async open(model) {
      if (session === null) session = await createWorkerSession(model, settings);
      else await session.load(model);
      return session;
    },
    close: async () => session?.close(),
  };
}

async function predictAt(
  place: Place,
  model: Model,
  dataset: Dataset,
  options: PredictOptions,
): Promise<TensorValue> {
  const { batchSize = DEFAULT_BATCH, signal, onRows } = options;
  const output = options.output ?? graphOf(model).outputs[0]?.name ?? "";
  const wires = wireInputs(model, dataset, options.columns);
  if (dataset.length === 0) {
    throw new UserError("invalid-input", `dataset ${dataset.name} has no rows`, {
      hint: "Give a dataset, or a part of one, with rows.",
    });
  }
  const session = await place.open(model);
  const results: TensorValue[] = [];
  let done = 0;
  for await (const batch of prefetched(dataset, batched(allRows(dataset.length), batchSize))) {
    signal?.throwIfAborted();
    const outputs = await session.run(wired(batch, wires), { outputs: [output] });
    const value = outputs[output];
    if (value !== undefined) results.push(value);
    done += value?.dims[0] ?? 0;
    onRows?.(done);
  }
  return joined(results);
}

/** Batches after one another. */
function joined(batches: readonly TensorValue[]): TensorValue {
  const [first] = batches;
  if (first === undefined) throw new TypeError("no batch was computed");
  const rows = batches.reduce((sum, { dims }) => sum + (dims[0] ?? 0), 0);
  const length = batches.reduce((sum, { data }) => sum + data.length, 0);
  const data = emptyLike(first.data, length);
  let at = 0;
  for (const batch of batches) {
    data.set(batch.data as never, at);
    at += batch.data.length;
  }
  return { dataType: first.dataType, dims: [rows, ...first.dims.slice(1)], data };
}

type Numbers = Exclude<TensorElements, readonly string[]>;

function emptyLike(data: TensorElements, length: number): Numbers {
  if (!ArrayBuffer.isView(data)) {
    throw new UserError("unsupported", "the model's output is text, which no metric reads", {
      hint: "Name an output of numbers.",
    });
  }
  return new (data.constructor as new (length: number) => Numbers)(length);
}
