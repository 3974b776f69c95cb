// The studies' data as the replays read them, in place beside the repository.

import { filesIn } from "../src/cli/replay.ts";
import { dataFile, missingData } from "./shared-data.ts";

export const replayFiles = filesIn(dataFile(""));

/** Why a test on these folders or files must skip; null when all are there. */
export function missing(...names: readonly string[]): string | null {
  const reason = names.map(missingData).find((one) => one !== null) ?? null;
  if (reason !== null) console.log(`skipping: ${reason}`);
  return reason;
}
