// Where the cards wait that the nodes of a cluster make of a job.

import { join } from "node:path";
import { jobFolder } from "../systems/schedule/jobs/index.ts";

/** In the job's own folder below the ledger's. */
export const cardsFolder = (folder: string, id: string): string =>
  join(jobFolder(folder, id), "cards");
