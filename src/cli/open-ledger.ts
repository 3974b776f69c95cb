// The ledger that a command is about, with the runs that a crash interrupted brought in first.

import type { Card } from "../core/card.ts";
import {
  type Ledger,
  type LedgerLocation,
  ledgerExists,
  listSegments,
  locateLedger,
  openLedger,
  segmentPath,
} from "../ledger/index.ts";
import type { CliContext } from "./context.ts";

/** `--ledger`, as every command that reads the ledger spells it. */
export const LEDGER_OPTION = [
  "--ledger <folder>",
  "ledger to use instead of the project's",
] as const;

/** Where the ledger of this command line is. */
export function ledgerOf(context: CliContext, flag: string | undefined): LedgerLocation {
  return locateLedger({ cwd: context.cwd, env: context.env, flag });
}

/** The card of a run whose segment was left behind; null while the run is under way. */
export type Recover = (path: string) => Promise<Card | null>;

/**
 * Opens the ledger for a command that reads it, and makes cards of interrupted runs. Throws
 * UserError when there is no ledger.
 */
export async function openForReading(
  context: CliContext,
  flag: string | undefined,
  recover: Recover = async () => null,
): Promise<Ledger> {
  const { folder } = ledgerOf(context, flag);
  const left = await listSegments(folder);
  const ledger = await openLedger(folder, {
    // A run that was killed before its first card leaves a segment and no ledger.
    ifAbsent: ledgerExists(folder) || left.length === 0 ? "fail" : "create",
  });
  if (ledger.writable) await recoverInto(ledger, left, recover);
  return ledger;
}

/** Keeps the cards of runs that left a segment and no card. */
export async function recoverInto(
  ledger: Ledger,
  segments: readonly string[],
  recover: Recover,
): Promise<void> {
  for (const id of segments) {
    if (await ledger.has(id)) continue;
    const card = await recover(segmentPath(ledger.folder, id));
    if (card !== null) await ledger.put(card);
  }
}
