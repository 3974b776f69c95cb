// What a ledger is to its users: every card of a project, kept whole, found again by what people
// remember of it. Samples are not here; they are in the run's segment (segment.ts).

import type { Card } from "../core/card.ts";
import type { Method } from "../core/index.ts";

/** Which runs to list. All conditions hold together; absent ones do not restrict. */
export interface CardFilter {
  /** Exact name. */
  readonly name?: string | undefined;
  /** Part of the name, whatever its case. */
  readonly nameContains?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** Started at this instant or later, milliseconds since 1970 UTC. */
  readonly since?: number | undefined;
  readonly status?: Card["status"] | undefined;
  /** At most so many, the newest. */
  readonly limit?: number | undefined;
}

/** One line of a list of runs: what the ledger knows without reading the card. */
export interface CardSummary {
  readonly id: string;
  readonly name: string;
  readonly kind: Card["subject"]["kind"];
  readonly status: Card["status"];
  readonly startedAt: string;
  readonly durationS: number;
  /** The headline energy of the card's boundary. */
  readonly energy: { readonly joules: number; readonly method: Method } | null;
  readonly emissions: { readonly gramsCO2e: number; readonly method: Method } | null;
  readonly machine: string;
}

export interface Ledger {
  /** The folder of the runs' segments; on this machine even when the cards are on a server. */
  readonly folder: string;
  /** Where the cards are, for people: a file, or a server's address without credentials. */
  readonly place: string;
  /** False when it can only be read; `put` and `remove` are errors then. */
  readonly writable: boolean;
  /** Keeps a card; a card of the same id is replaced. Durable once resolved, `kill -9` included. */
  put(card: Card): Promise<void>;
  /** The card that a person's reference names: see `resolve`. */
  get(reference: string): Promise<Card>;
  /**
   * The id behind a reference: an id, a name (its latest run), the unique beginning or end of an
   * id, `last`; `~N` after `last` or a name goes N runs back. Throws UserError `invalid-input`
   * when there is none or more than one.
   */
  resolve(reference: string): Promise<string>;
  /** Newest first. */
  list(filter?: CardFilter): Promise<readonly CardSummary[]>;
  /** Whole cards, newest first, one in memory at a time. */
  cards(filter?: CardFilter): AsyncIterable<Card>;
  has(id: string): Promise<boolean>;
  /** Removes a card by its id; false when there was none. The segment is not touched. */
  remove(id: string): Promise<boolean>;
  close(): void;
}
