// Samples of a dataset as inputs of a model, a batch at a time.

import { UserError } from "../../../core/index.ts";
import type { Port, TensorValue } from "../../../engine/index.ts";
import type { Model } from "../../../onnx/index.ts";
import { batched, type Dataset, type InputColumns, matchInputs } from "../../data/index.ts";
import type { Feeds } from "../pass.ts";

/** Rows of a dataset and how they go into a model. */
export interface Samples {
  readonly dataset: Dataset;
  readonly rows: readonly number[];
  readonly columns: InputColumns;
  /** Inputs that are the same in every run, such as a sample rate or a state at its start. */
  readonly fixed: Feeds;
  /** Rows of one run; 1 for models that take no more. */
  readonly batch: number;
}

/**
 * Fits a dataset to a model's inputs. Throws UserError where columns and inputs do not fit, and for models
 * that take a fixed batch of more than one row.
 */
export function samplesFor(
  dataset: Dataset,
  inputs: readonly Port[],
  options: { readonly fixed?: Feeds; readonly batch?: number } = {},
): Omit<Samples, "rows"> {
  const { fixed = {}, batch = 8 } = options;
  const open = inputs.filter(({ name }) => fixed[name] === undefined);
  if (open.length === 0) {
    throw new UserError("invalid-input", "no input of the model is left for the samples", {
      hint: "Give fewer fixed inputs.",
    });
  }
  const sizes = open.map(({ dims }) => dims?.[0]).filter((size) => typeof size === "number");
  const odd = sizes.find((size) => size !== 1);
  if (odd !== undefined) {
    throw new UserError(
      "unsupported",
      `the model takes ${odd} rows at once, neither more nor fewer`,
      {
        hint: "Export it with an open batch axis, or with a batch of one.",
      },
    );
  }
  const single = sizes.length > 0 || Object.keys(fixed).length > 0;
  return { dataset, columns: matchInputs(dataset, open), fixed, batch: single ? 1 : batch };
}

/** The same samples, other rows. */
export const withRows = (samples: Omit<Samples, "rows">, rows: readonly number[]): Samples => ({
  ...samples,
  rows,
});

/**
 * The samples in runs as a model needs them to be judged: where a run's inputs share a grid, as dynamic int8
 * has it, answers depend on what else is in the run, and it is judged in runs of `batch`, as it is deployed.
 */
export const asDeployed = (
  { graph }: Model,
  samples: Omit<Samples, "rows">,
  batch: number,
): Omit<Samples, "rows"> =>
  graph?.nodes.some(({ opType }) => opType.startsWith("DynamicQuantize")) === true
    ? { ...samples, batch: Math.min(batch, samples.batch) }
    : samples;

/** One run's inputs and the rows that they are. */
export interface Batch {
  readonly rows: readonly number[];
  readonly feeds: Feeds;
}

/** The rows in runs of `batch`; a run of one where their shapes differ. */
export async function* batchesOf(samples: Samples): AsyncGenerator<Batch> {
  const { dataset, columns, rows } = samples;
  const varies = [...columns.values()].some(
    (name) => dataset.columns.find((column) => column.name === name)?.shape === null,
  );
  for (const part of batched(rows, varies ? 1 : samples.batch)) {
    yield { rows: part, feeds: await feedsOf(samples, part) };
  }
}

/**
 * Rows in a run of calibration. One by one: as many values as calibration looks at take gigabytes for more
 * rows, whose memory costs more to come by than the run itself; and ranges of samples are means of samples.
 */
export const CALIBRATION_BATCH = 1;

/** Inputs of passes: the rows in runs of `batch`, anew at each call. */
export const inputsOf = (
  samples: Omit<Samples, "rows">,
  rows: readonly number[],
  batch = samples.batch,
) =>
  async function* (): AsyncGenerator<Feeds> {
    for await (const { feeds } of batchesOf(withRows({ ...samples, batch }, rows))) yield feeds;
  };

/** The inputs of one run with these rows. */
export async function feedsOf(
  { dataset, columns, fixed }: Omit<Samples, "rows">,
  rows: readonly number[],
): Promise<Feeds> {
  const values = await dataset.batch(rows, [...new Set(columns.values())]);
  const fed = [...columns].map(([input, column]) => [input, values.get(column) as TensorValue]);
  return { ...fixed, ...Object.fromEntries(fed) };
}
