// A model's quality on a dataset: against the truth where there is one, else against the answers of the
// original model.

import { UserError } from "../../../core/index.ts";
import type { Session, TensorValue } from "../../../engine/index.ts";
import { columnOf, type Dataset, type Metric, type Quality } from "../../data/index.ts";
import { predict, type Reading, type RowsOptions } from "./predict.ts";
import type { Samples } from "./samples.ts";

/** What a model is judged by. */
export interface Judge extends Reading {
  readonly metric: Metric;
  /** Column of the truth; null judges by agreement with the original model. */
  readonly truth: string | null;
}

/** Columns that hold the truth unless a model reads them. */
const TRUTHS = ["label", "target", "text"];

/** The column of the truth that a dataset has; null where it has none. */
export function truthOf(dataset: Dataset, inputs: Iterable<string>): string | null {
  const read = new Set(inputs);
  const found = TRUTHS.find(
    (name) => !read.has(name) && dataset.columns.some((column) => column.name === name),
  );
  return found ?? null;
}

/** Answers and how good they are. */
export interface Evaluation {
  readonly quality: Quality;
  readonly predictions: TensorValue;
}

/**
 * Runs the model over the samples and judges it. `reference` are the original's predictions for the same
 * rows, needed where there is no truth. Throws UserError where predictions and truth do not fit.
 */
export async function evaluate(
  session: Session,
  samples: Samples,
  judge: Judge,
  options: RowsOptions & { readonly reference?: TensorValue } = {},
): Promise<Evaluation> {
  const predictions = await predict(session, samples, judge, options);
  const truth = await truthFor(samples, judge, options.reference ?? predictions);
  return { predictions, quality: judge.metric.of(predictions, truth) };
}

/** What predictions of these rows are held against. */
export async function truthFor(
  { dataset, rows }: Samples,
  judge: Judge,
  reference: TensorValue,
): Promise<TensorValue> {
  if (judge.truth === null) return reference;
  columnOf(dataset, judge.truth);
  const batch = await dataset.batch(rows, [judge.truth]);
  return batch.get(judge.truth) as TensorValue;
}

/**
 * Scores of each sample such that higher is better, for paired tests. Throws UserError for metrics that
 * have none.
 */
export function scoresOf({ metric, scores }: Quality, better: Metric["better"]): Float64Array {
  if (scores === null) {
    throw new UserError("unsupported", `${metric} has no value for a single sample`, {
      hint: "Choose a metric of samples, such as accuracy, mse, cosine or cer.",
    });
  }
  return better === "higher" ? scores : scores.map((score) => -score);
}
