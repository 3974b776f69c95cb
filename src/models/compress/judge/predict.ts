// A model's answers for the rows of a dataset, decoded batch by batch so that scores over thousands of
// classes never pile up.

import { UserError } from "../../../core/index.ts";
import type { Outputs, Session, TensorValue } from "../../../engine/index.ts";
import { concatBatches } from "../../data/stack.ts";
import { type Batch, batchesOf, type Samples } from "./samples.ts";

/** What is read of a model's outputs. */
export interface Reading {
  /** The output that is judged. Default: the first. */
  readonly output?: string;
  /** What a metric reads in place of raw scores, such as texts. Rows stay rows. */
  readonly decode?: (output: TensorValue) => TensorValue;
}

export interface RowsOptions {
  readonly signal?: AbortSignal;
  /** Hears how many rows are done. */
  readonly onRows?: (done: number) => void;
}

/** Runs sessions side by side over the same rows; `visit` sees each batch's outputs, one a session. */
export async function overRows(
  sessions: readonly Session[],
  samples: Samples,
  visit: (batch: Batch, outputs: readonly Outputs[]) => Promise<void> | void,
  { signal, onRows }: RowsOptions = {},
): Promise<void> {
  let done = 0;
  for await (const batch of batchesOf(samples)) {
    signal?.throwIfAborted();
    const outputs: Outputs[] = [];
    for (const session of sessions) outputs.push(await session.run(batch.feeds));
    await visit(batch, outputs);
    done += batch.rows.length;
    onRows?.(done);
  }
}

/** Decoded answers, one row a sample, in the order of the samples. */
export async function predict(
  session: Session,
  samples: Samples,
  reading: Reading = {},
  options: RowsOptions = {},
): Promise<TensorValue> {
  const parts: TensorValue[] = [];
  await overRows(
    [session],
    samples,
    ({ rows }, [outputs]) => {
      parts.push(read(outputs ?? {}, rows.length, reading));
    },
    options,
  );
  if (parts.length === 0) throw new RangeError("no rows to predict");
  return concatBatches(parts);
}

/** The judged output with a leading axis of `rows`. Throws UserError where it has none. */
export function read(outputs: Outputs, rows: number, reading: Reading): TensorValue {
  const name = reading.output ?? Object.keys(outputs)[0] ?? "";
  const value = outputs[name];
  if (value === undefined) {
    throw new UserError("invalid-input", `the model has no output "${name}"`, {
      hint: `It has ${Object.keys(outputs).join(", ")}.`,
    });
  }
  return (reading.decode ?? ((same) => same))(rowWise(name, value, rows));
}

function rowWise(name: string, value: TensorValue, rows: number): TensorValue {
  if (value.dims[0] === rows) return value;
  // A model of one sample may leave the batch axis out.
  if (rows === 1) return { ...value, dims: [1, ...value.dims] };
  const shape = value.dims.join(", ");
  throw new UserError("invalid-input", `output "${name}" is [${shape}] for ${rows} samples`, {
    hint: "Its first axis is not the batch: run one sample at a time (--batch 1).",
  });
}
