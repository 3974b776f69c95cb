// Keeping the card of a run that has just ended, whatever the network does: a run took hours, a
// server is back in minutes.

import type { Card } from "../core/card.ts";
import { reasonOf, UserError } from "../core/index.ts";
import type { LedgerPlace } from "./folder.ts";
import { type OpenOptions, openLedger } from "./open.ts";
import { keepPending } from "./pending.ts";

/** Where a card went. */
export type Kept =
  | { readonly status: "kept"; readonly place: string }
  /** In a file that goes to the server when the ledger is next opened. */
  | { readonly status: "pending"; readonly place: string; readonly reason: string };

/**
 * Puts a card into its ledger, opened for this alone. When that is on a server which cannot take it,
 * the card waits on this machine. Throws UserError when it could be kept nowhere.
 */
export async function keepCard(
  at: LedgerPlace,
  card: Card,
  options: OpenOptions = {},
): Promise<Kept> {
  try {
    const ledger = await openLedger(at, options);
    try {
      await ledger.put(card);
      return { status: "kept", place: at.server?.name ?? at.folder };
    } finally {
      ledger.close();
    }
  } catch (error) {
    // What is no card would never be taken, however long it waited.
    const refused = error instanceof UserError && error.code === "invalid-input";
    if (at.server === undefined || refused) throw error;
    keepPending(at.folder, card);
    return { status: "pending", place: at.folder, reason: reasonOf(error) };
  }
}
