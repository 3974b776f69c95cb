// Batches of a dataset in some order, the next one fetched while the last one is worked on.

import type { TensorValue } from "../../engine/index.ts";
import type { Dataset } from "../data/index.ts";

/** One batch by the names of columns. */
export type Columns = ReadonlyMap<string, TensorValue>;

/** Yields the batches of row numbers one after the other; one is fetched ahead. */
export async function* prefetched(
  dataset: Dataset,
  batches: readonly (readonly number[])[],
): AsyncGenerator<Columns, void, undefined> {
  const fetch = (at: number): Promise<Columns> | null => {
    const rows = batches[at];
    if (rows === undefined) return null;
    const fetching = dataset.batch(rows);
    // A fault is told when its batch is asked for, which may be never.
    fetching.catch(() => {});
    return fetching;
  };
  let next = fetch(0);
  for (let at = 0; next !== null; at++) {
    const batch = await next;
    next = fetch(at + 1);
    yield batch;
  }
}
