// The ledger that a command is about, with the runs that a crash interrupted brought in first.

import {
  type Ledger,
  type LedgerLocation,
  type LedgerPlace,
  ledgerExists,
  listPending,
  listSegments,
  locateLedger,
  openLedger,
} from "../ledger/index.ts";
import type { CliContext } from "./context.ts";

/** `--ledger`, as every command that reads the ledger spells it. */
export const LEDGER_OPTION = [
  "--ledger <place>",
  "folder or postgresql:// URL of a ledger, instead of the project's",
] as const;

/** Where the ledger of this command line is. */
export function ledgerOf(context: CliContext, flag: string | undefined): LedgerLocation {
  return locateLedger({ cwd: context.cwd, env: context.env, flag });
}

/** What a ledger is called in messages: its folder, or its server without credentials. */
export const nameOf = ({ folder, server }: LedgerPlace): string => server?.name ?? folder;

/**
 * Whether nothing was ever kept in a folder: neither a card nor the samples of a first run. What is
 * on a server, only the server knows.
 */
export async function isEmptyLedger({ folder, server }: LedgerPlace): Promise<boolean> {
  return server === undefined && !ledgerExists(folder) && (await listSegments(folder)).length === 0;
}

/**
 * Opens the ledger for a command that reads it, and makes cards of interrupted runs. What cannot be
 * read back is said. Throws UserError when there is no ledger.
 */
export async function openForReading(
  context: CliContext,
  flag: string | undefined,
): Promise<Ledger> {
  const place = ledgerOf(context, flag);
  const ledger = await openLedger(place, {
    ifAbsent: (await hasRunsToKeep(place)) ? "create" : "fail",
    onNotice: (text) => context.stderr.write(`godwit: ${text}\n`),
  });
  try {
    if (ledger.writable) await recover(context, ledger);
    return ledger;
  } catch (error) {
    ledger.close();
    throw error;
  }
}

/** The ledger for a command that can do without cards; null before the first one. */
export async function openCards(
  context: CliContext,
  flag: string | undefined,
): Promise<Ledger | null> {
  return (await isEmptyLedger(ledgerOf(context, flag))) ? null : openForReading(context, flag);
}

/** A run that was killed before its first card, or met no server, leaves samples and no ledger. */
async function hasRunsToKeep({ folder }: LedgerPlace): Promise<boolean> {
  return (await listSegments(folder)).length > 0 || (await listPending(folder)).length > 0;
}

async function recover(context: CliContext, ledger: Ledger): Promise<void> {
  // Loading what reads segments costs more than listing runs, and is rarely needed.
  const segments = await listSegments(ledger.folder);
  const known = await Promise.all(segments.map((id) => ledger.has(id)));
  if (known.every(Boolean)) return;
  const { recoverRuns } = await import("../measure/run/recover.ts");
  const { lost } = await recoverRuns(context.host, ledger);
  for (const { id, reason } of lost) {
    context.stderr.write(
      `The samples of run ${id} cannot be read back: ${reason}\n  godwit rm ${id} removes them.\n`,
    );
  }
}
