// Putting rows together: the elements of chosen rows, or whole tensors, as one tensor with a batch axis.

import { UserError } from "../../core/index.ts";
import type { TensorElements, TensorValue } from "../../engine/index.ts";

/** Elements of the chosen rows, in their order, where a row is `size` elements. */
export function takeRows(
  data: TensorElements,
  rows: readonly number[],
  size: number,
): TensorElements {
  if (!ArrayBuffer.isView(data)) {
    return rows.flatMap((row) => data.slice(row * size, (row + 1) * size));
  }
  const taken = emptyLike(data, rows.length * size);
  rows.forEach((row, at) => {
    copyInto(taken, data.subarray(row * size, (row + 1) * size), at * size);
  });
  return taken;
}

/** One sample and the row that it is, so that a fault can name the row. */
export interface Sample {
  readonly row: number;
  readonly value: TensorValue;
}

/** Samples as one tensor. Throws UserError naming two rows whose shapes or types differ. */
export function stackRows(column: string, samples: readonly Sample[]): TensorValue {
  const [first] = samples;
  if (first === undefined) throw new RangeError(`no rows of column ${column}`);
  for (const { row, value } of samples) {
    if (sameKind(first.value, value)) continue;
    throw new UserError(
      "invalid-input",
      `column ${column}: row ${row} is ${kindOf(value)}, row ${first.row} is ${kindOf(first.value)}`,
      { hint: "Use a batch of one, or bring the samples to one shape (padding, resizing)." },
    );
  }
  return concatenated(
    samples.map(({ value }) => value),
    [samples.length, ...first.value.dims],
  );
}

/** Batches of one column after one another. */
export function concatBatches(batches: readonly TensorValue[]): TensorValue {
  const [first] = batches;
  if (first === undefined) throw new RangeError("no batches to join");
  const count = batches.reduce((sum, { dims }) => sum + (dims[0] ?? 0), 0);
  return concatenated(batches, [count, ...first.dims.slice(1)]);
}

function concatenated(values: readonly TensorValue[], dims: readonly number[]): TensorValue {
  const [first] = values as [TensorValue];
  const total = values.reduce((sum, { data }) => sum + data.length, 0);
  if (!ArrayBuffer.isView(first.data)) {
    const data = values.flatMap((value) => value.data as readonly string[]);
    return { dataType: first.dataType, dims, data };
  }
  const data = emptyLike(first.data, total);
  let at = 0;
  for (const value of values) {
    copyInto(data, value.data as NumericElements, at);
    at += value.data.length;
  }
  return { dataType: first.dataType, dims, data };
}

type NumericElements = Exclude<TensorElements, readonly string[]>;

/** A zeroed array of the same kind. */
function emptyLike(data: NumericElements, length: number): NumericElements {
  const Kind = data.constructor as new (length: number) => NumericElements;
  return new Kind(length);
}

/** Copies elements between arrays of one kind, which the compiler cannot see are of one kind. */
function copyInto(target: NumericElements, source: NumericElements, at: number): void {
  (target as Float64Array).set(source as Float64Array, at);
}

const sameKind = (a: TensorValue, b: TensorValue): boolean =>
  a.dataType === b.dataType &&
  a.dims.length === b.dims.length &&
  a.dims.every((dim, axis) => dim === b.dims[axis]);

const kindOf = ({ dataType, dims }: TensorValue): string => `${dataType}[${dims.join(", ")}]`;
