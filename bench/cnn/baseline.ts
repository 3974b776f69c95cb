// What no network is needed for, as the catalogue knows it of the same files: most frequent class, colours and
// textures, a linear model on pixels.

import { createNodeHost } from "../../src/core/host/node-host.ts";
import { findEntry } from "../../src/models/data/index.ts";

export interface BaselineRow {
  readonly name: string;
  readonly accuracy: number;
  readonly source: string;
}

/** Accuracies that the catalogue has for a dataset. */
export async function baselineOf(data: string): Promise<readonly BaselineRow[]> {
  const { baselines } = await findEntry(createNodeHost(), data);
  return baselines
    .filter(({ metric }) => metric === "accuracy")
    .map(({ what, value, source }) => ({ name: what, accuracy: value, source }));
}
