// Datasets made from datasets, computed when a batch is asked for: nothing is copied before.

import { UserError } from "../../core/index.ts";
import type { TensorElements, TensorValue } from "../../engine/index.ts";
import { type Column, checkRows, columnOf, type Dataset } from "./dataset.ts";
import { concatBatches, takeRows } from "./stack.ts";

/** The chosen rows, in the order given; a row may be there more than once. */
export function subset(dataset: Dataset, rows: readonly number[], name?: string): Dataset {
  checkRows(dataset.name, dataset.length, rows);
  return {
    ...dataset,
    name: name ?? dataset.name,
    length: rows.length,
    batch(own, wanted) {
      checkRows(dataset.name, rows.length, own);
      return dataset.batch(
        own.map((row) => rows[row] as number),
        wanted,
      );
    },
  };
}

/** Rows of several datasets with the same columns after one another. Throws UserError if they differ. */
export function concat(datasets: readonly Dataset[], name: string): Dataset {
  const [first] = datasets;
  if (first === undefined) throw new RangeError("no datasets to join");
  for (const other of datasets) sameColumns(first, other);
  const starts: number[] = [];
  let length = 0;
  for (const dataset of datasets) {
    starts.push(length);
    length += dataset.length;
  }
  return {
    name,
    columns: first.columns,
    length,
    async batch(rows, wanted) {
      checkRows(name, length, rows);
      return joinedBatch(datasets, starts, rows, wanted);
    },
  };
}

async function joinedBatch(
  datasets: readonly Dataset[],
  starts: readonly number[],
  rows: readonly number[],
  columns: readonly string[] | undefined,
): Promise<ReadonlyMap<string, TensorValue>> {
  const wanted: number[][] = datasets.map(() => []);
  const sources = rows.map((row) => {
    const source = starts.findLastIndex((start) => row >= start);
    wanted[source]?.push(row - (starts[source] ?? 0));
    return source;
  });
  const used = wanted.flatMap((own, source) => (own.length === 0 ? [] : [source]));
  const batches = await Promise.all(
    used.map((s) => (datasets[s] as Dataset).batch(wanted[s] ?? [], columns)),
  );
  // Rows come out source after source; `order` says where in that each asked-for row is.
  const next = new Map<number, number>();
  let at = 0;
  for (const source of used) {
    next.set(source, at);
    at += wanted[source]?.length ?? 0;
  }
  const order = sources.map((source) => {
    const place = next.get(source) ?? 0;
    next.set(source, place + 1);
    return place;
  });
  const names = [...(batches[0]?.keys() ?? [])];
  return new Map(
    names.map((name) => {
      const joined = concatBatches(batches.map((batch) => batch.get(name) as TensorValue));
      const size = joined.data.length / (joined.dims[0] ?? 1);
      return [name, { ...joined, data: takeRows(joined.data, order, size) }];
    }),
  );
}

function sameColumns(first: Dataset, other: Dataset): void {
  const describe = ({ columns }: Dataset): string =>
    columns.map(({ name, dataType, shape }) => `${name} ${dataType}[${shape ?? "?"}]`).join(", ");
  if (describe(first) === describe(other)) return;
  throw new UserError("invalid-input", `${first.name} and ${other.name} have other columns`, {
    hint: `${first.name} has ${describe(first)}; ${other.name} has ${describe(other)}.`,
  });
}

/** What is done to the batch of one column, and what the column is afterwards. */
export interface ColumnMap {
  readonly column: Column;
  map(batch: TensorValue): TensorValue;
}

/** The dataset with one column replaced by a function of its batches. */
export function mapColumn(dataset: Dataset, name: string, change: ColumnMap): Dataset {
  columnOf(dataset, name);
  return {
    ...dataset,
    columns: dataset.columns.map((column) => (column.name === name ? change.column : column)),
    async batch(rows, wanted) {
      const before = wanted?.map((own) => (own === change.column.name ? name : own));
      const batch = await dataset.batch(rows, before);
      return new Map(
        [...batch].map(([key, value]) =>
          key === name ? [change.column.name, change.map(value)] : [key, value],
        ),
      );
    },
  };
}

/** Some of the columns, under new names where they are given: `{ pixels: "image" }` renames. */
export function selectColumns(dataset: Dataset, names: Readonly<Record<string, string>>): Dataset {
  const columns = Object.entries(names).map(([from, to]) => ({
    ...columnOf(dataset, from),
    name: to,
  }));
  return {
    ...dataset,
    columns,
    async batch(rows, wanted) {
      const taken = Object.entries(names).filter(([, to]) => wanted?.includes(to) ?? true);
      const batch = await dataset.batch(
        rows,
        taken.map(([from]) => from),
      );
      return new Map(taken.map(([from, to]) => [to, batch.get(from) as TensorValue]));
    },
  };
}

/** `(x * scale - mean) / deviation`, per channel of axis 0 of a sample where they are lists. */
export interface Normalisation {
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly deviation?: readonly number[];
}

/** A column of numbers as float32, normalised. Throws RangeError when channels and lists do not fit. */
export function normalise(dataset: Dataset, name: string, how: Normalisation): Dataset {
  const column = columnOf(dataset, name);
  const channels = Math.max(how.mean?.length ?? 1, how.deviation?.length ?? 1);
  if (channels > 1 && column.shape !== null && column.shape[0] !== channels) {
    throw new RangeError(`${channels} channels to normalise in a sample of ${column.shape}`);
  }
  if (how.deviation?.some((value) => !(value > 0))) {
    throw new RangeError(`deviations ${how.deviation} to divide by`);
  }
  const { classes: _, ...plain } = column;
  return mapColumn(dataset, name, {
    column: { ...plain, dataType: "float32" },
    map: ({ dims, data }) => ({ dataType: "float32", dims, data: normalised(data, dims, how) }),
  });
}

function normalised(
  data: TensorElements,
  dims: readonly number[],
  { scale = 1, mean = [0], deviation = [1] }: Normalisation,
): Float32Array {
  const channels = Math.max(mean.length, deviation.length);
  const plane = channels === 1 ? data.length : data.length / ((dims[0] ?? 1) * channels);
  const values = data as ArrayLike<number | bigint>;
  const out = new Float32Array(data.length);
  for (let start = 0, channel = 0; start < out.length; start += plane, channel++) {
    const factor = scale / (deviation[channel % deviation.length] ?? 1);
    const shift = (mean[channel % mean.length] ?? 0) / (deviation[channel % deviation.length] ?? 1);
    for (let at = start; at < start + plane; at++) out[at] = Number(values[at]) * factor - shift;
  }
  return out;
}
