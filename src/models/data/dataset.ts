// What models are trained, measured and checked on: rows of named tensors, fetched a batch at a time.
// A dataset is read-only; transforms (`views.ts`) make another one, and splits are lists of row numbers
// (`rows.ts`).

import { UserError } from "../../core/index.ts";
import { sizeOf, type TensorElements, type TensorValue } from "../../engine/index.ts";
import type { DataType } from "../../onnx/index.ts";
import { stackRows, takeRows } from "./stack.ts";

/** One named tensor that every sample has. */
export interface Column {
  readonly name: string;
  readonly dataType: DataType;
  /** Shape of one sample, without the batch axis; null where it varies from sample to sample. */
  readonly shape: readonly number[] | null;
  /** Names of the classes, for a column of labels: label `i` is `classes[i]`. */
  readonly classes?: readonly string[];
}

/** Samples by row number. */
export interface Dataset {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Number of rows. */
  readonly length: number;
  /**
   * The rows asked for, in that order, as tensors with a leading batch axis, by column name. Throws
   * UserError when a sample cannot be read, or when samples of varying shape do not stack. Where only
   * some columns are wanted, the others may be left out: labels are read without decoding images.
   */
  batch(
    rows: readonly number[],
    wanted?: readonly string[],
  ): Promise<ReadonlyMap<string, TensorValue>>;
}

/** A column with all its values: row after row in one array, or one tensor a row where shapes vary. */
export type FilledColumn = Column &
  ({ readonly data: TensorElements } | { readonly samples: readonly TensorValue[] });

/** A dataset whose values lie in memory. Throws RangeError for columns of different lengths. */
export function memoryDataset(name: string, filled: readonly FilledColumn[]): Dataset {
  const lengths = new Set(filled.map(lengthOf));
  const [length] = lengths;
  if (length === undefined || lengths.size !== 1) {
    throw new RangeError(`columns of ${[...lengths].join(", ")} rows in dataset ${name}`);
  }
  return {
    name,
    columns: filled.map(declared),
    length,
    async batch(rows, wanted) {
      checkRows(name, length, rows);
      const columns = filled.filter((column) => wanted?.includes(column.name) ?? true);
      return new Map(columns.map((column) => [column.name, rowsOf(column, rows)]));
    },
  };
}

function lengthOf(column: FilledColumn): number {
  if ("samples" in column) return column.samples.length;
  return column.data.length / sizeOf(column.shape ?? []);
}

function declared({ name, dataType, shape, classes }: FilledColumn): Column {
  return { name, dataType, shape, ...(classes === undefined ? {} : { classes }) };
}

function rowsOf(column: FilledColumn, rows: readonly number[]): TensorValue {
  if ("samples" in column) {
    return stackRows(
      column.name,
      rows.map((row) => ({ row, value: column.samples[row] as TensorValue })),
    );
  }
  const shape = column.shape ?? [];
  const data = takeRows(column.data, rows, sizeOf(shape));
  return { dataType: column.dataType, dims: [rows.length, ...shape], data };
}

/** Throws RangeError for row numbers that the dataset does not have: a fault of the caller. */
export function checkRows(name: string, length: number, rows: readonly number[]): void {
  for (const row of rows) {
    if (!Number.isInteger(row) || row < 0 || row >= length) {
      throw new RangeError(`row ${row} of dataset ${name}, which has ${length} rows`);
    }
  }
}

/** The column of this name. Throws UserError naming those that there are. */
export function columnOf(dataset: Dataset, name: string): Column {
  const found = dataset.columns.find((column) => column.name === name);
  if (found !== undefined) return found;
  const names = dataset.columns.map((column) => column.name).join(", ");
  throw new UserError("invalid-input", `dataset ${dataset.name} has no column ${name}`, {
    hint: `It has ${names}.`,
  });
}

/** All values of one column, read a batch at a time. */
export async function readColumn(dataset: Dataset, name: string): Promise<TensorValue> {
  columnOf(dataset, name);
  const rows = Array.from({ length: dataset.length }, (_, row) => row);
  const batch = await dataset.batch(rows, [name]);
  return batch.get(name) as TensorValue;
}

/** The labels of a column as class numbers. Throws UserError for a column that holds none. */
export async function readLabels(dataset: Dataset, name = "label"): Promise<Int32Array> {
  const column = columnOf(dataset, name);
  if (column.shape === null || sizeOf(column.shape) !== 1 || column.dataType === "string") {
    throw new UserError("invalid-input", `column ${name} of ${dataset.name} holds no labels`, {
      hint: "A label is one whole number a sample.",
    });
  }
  const { data } = await readColumn(dataset, name);
  return Int32Array.from(data as ArrayLike<number | bigint>, Number);
}
