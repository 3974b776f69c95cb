// What no network is needed for: colours and textures, or the pixels themselves, and a linear model on them.

import type { SetOfRuns } from "./runs.ts";

export interface BaselineRow {
  readonly name: string;
  readonly accuracy: number;
  readonly source: string;
}

/** Published for these very files, in the notes that come with them. */
const KNOWN: Readonly<Record<string, readonly BaselineRow[]>> = {};

export const baselineOf = async (data: SetOfRuns["data"]): Promise<readonly BaselineRow[]> =>
  KNOWN[data] ?? [];
