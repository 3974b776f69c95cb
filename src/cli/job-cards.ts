// Cards of jobs that ran on the nodes of a cluster. A node writes to no database: it leaves the card and the
// samples in the job's own folder, which the nodes share, and this machine brings them into the ledger.

import {
  listPending,
  listSegments,
  moveSegments,
  openLedger,
  replayPending,
} from "../ledger/index.ts";
import { recoverRuns } from "../measure/run/recover.ts";
import {
  isFinal,
  type JobRecord,
  type JobStore,
  momentOf,
} from "../systems/schedule/jobs/index.ts";
import { metered } from "../systems/schedule/slurm/index.ts";
import { cardsFolder } from "./cards-folder.ts";
import type { CliContext } from "./context.ts";
import { ledgerOf } from "./open-ledger.ts";

/**
 * Ids of the cards of a job that has ended, oldest first; what waits goes into the ledger before. A run that
 * was killed with its node becomes a card by its samples.
 */
export async function collectCards(
  context: CliContext,
  ledgerFlag: string | undefined,
  { id, cards }: Pick<JobRecord, "id" | "cards">,
): Promise<readonly string[]> {
  const place = ledgerOf(context, ledgerFlag);
  const from = cardsFolder(place.folder, id);
  const waiting = [...(await listPending(from)), ...(await listSegments(from))];
  if (waiting.length === 0) return cards;
  const ledger = await openLedger(place);
  try {
    await replayPending(from, ledger, () => {});
    await moveSegments(from, ledger.folder);
    await recoverRuns(context.host, ledger);
    const found = await ledger.list({ tags: { job: id } });
    return found.map((card) => card.id).reverse();
  } finally {
    ledger.close();
  }
}

/** The record with the cards that came after its end was seen, as on a file system that is late. */
export async function withLateCards(
  context: CliContext,
  record: JobRecord,
  { store, ledger }: { readonly store: JobStore; readonly ledger: string | undefined },
): Promise<JobRecord> {
  if (record.engine !== "slurm" || !isFinal(record)) return record;
  const cards = await collectCards(context, ledger, record);
  const result = await store.change(record.id, momentOf(context.host).now, metered(cards));
  return result?.record ?? record;
}
