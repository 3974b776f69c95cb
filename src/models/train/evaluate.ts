// A model's quality on a dataset: all rows through the model, one metric over all of them.

import { UserError } from "../../core/index.ts";
import {
  createSession,
  createWorkerSession,
  type EngineOptions,
  type RuntimeName,
  type TensorElements,
  type TensorValue,
} from "../../engine/index.ts";
import type { Model } from "../../onnx/index.ts";
import { allRows, batched, type Dataset } from "../data/index.ts";
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

/**
 * The metric over a whole dataset. Throws UserError where
 * columns and inputs do not fit, and the signal's reason when it is aborted.
 */
export async function evaluate(
  model: Model,
  dataset: Dataset,
  options: EvaluateOptions,
): Promise<Quality> {
  const { metric, signal, columns } = options;
  const predictions = await predict(model, dataset, options);
  signal?.throwIfAborted();
  const truth = await dataset.batch(allRows(dataset.length));
  const column = truth.get(truthColumn(dataset, columns));
  if (column === undefined) throw new TypeError("a batch without its labels");
  return metric.of(predictions, column);
}

/** An output of the model for every row of a dataset, in its order. */
export async function predict(
  model: Model,
  dataset: Dataset,
  options: Omit<EvaluateOptions, "metric">,
): Promise<TensorValue> {
  const { batchSize = DEFAULT_BATCH, signal, onRows } = options;
  const output = options.output ?? graphOf(model).outputs[0]?.name ?? "";
  const wires = wireInputs(model, dataset, options.columns);
  if (dataset.length === 0) {
    throw new UserError("invalid-input", `dataset ${dataset.name} has no rows`, {
      hint: "Give a dataset, or a part of one, with rows.",
    });
  }
  const open = options.thread === "caller" ? createSession : createWorkerSession;
  const session = await open(model, {
    ...options.engine,
    ...(options.dataFolder === undefined ? {} : { dataFolder: options.dataFolder }),
  });
  try {
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
  } finally {
    await session.close();
  }
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
