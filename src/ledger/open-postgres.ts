// Opening a ledger on a PostgreSQL server: its tables, their version, and what may be done there.

import type { Client } from "pg";
import { UserError } from "../core/index.ts";
import { cardLedger } from "./card-ledger.ts";
import type { Ledger } from "./ledger.ts";
import { replayPending } from "./pending.ts";
import { connect, type LoadDriver, loadDriver, SCHEMA } from "./postgres-connection.ts";
import { postgresFault } from "./postgres-faults.ts";
import { postgresStore } from "./postgres-store.ts";
import type { PostgresServer } from "./postgres-url.ts";
import { POSTGRES_MIGRATIONS } from "./schema.ts";

/** "godw" in ASCII: the advisory lock that one migrating client holds at a time. */
const MIGRATION_LOCK = 0x676f6477;

export interface OpenPostgresOptions {
  readonly server: PostgresServer;
  /** Where segments and cards that wait are kept. */
  readonly folder: string;
  readonly ifAbsent: "create" | "fail";
  readonly statementTimeout: number;
  readonly onNotice: (text: string) => void;
  readonly load?: LoadDriver;
}

/**
 * Opens the ledger, makes or updates its tables, and brings in the cards that waited for it. Throws
 * UserError when it cannot be reached, is absent (`ifAbsent: "fail"`), or of a newer godwit.
 */
export async function openPostgres(options: OpenPostgresOptions): Promise<Ledger> {
  const { server, folder, statementTimeout, load = loadDriver } = options;
  const place = server.name;
  const connectAgain = (): Promise<Client> => connect({ server, statementTimeout, load });
  const client = await connectAgain();
  try {
    await migrate(client, place, options.ifAbsent);
    const writable = await isWritable(client);
    const store = postgresStore({ client, connect: connectAgain, folder, place, writable });
    const ledger = cardLedger(store);
    if (writable) await replayPending(folder, ledger, options.onNotice);
    return ledger;
  } catch (error) {
    client.end().catch(() => {});
    throw postgresFault(place, error);
  }
}

/** Connects and looks at the version, without changing anything. Throws UserError. */
export async function checkPostgres(
  server: PostgresServer,
  statementTimeout: number,
): Promise<void> {
  const client = await connect({ server, statementTimeout, load: loadDriver });
  try {
    await checkedVersion(client, server.name);
  } catch (error) {
    throw postgresFault(server.name, error);
  } finally {
    client.end().catch(() => {});
  }
}

async function migrate(client: Client, place: string, ifAbsent: "create" | "fail"): Promise<void> {
  const newest = POSTGRES_MIGRATIONS.length;
  const found = await checkedVersion(client, place);
  if (found === newest) return;
  if (found === 0 && ifAbsent === "fail") {
    throw new UserError("ledger", `there is no ledger at ${place}`, {
      hint: "Measure something first: godwit run -- COMMAND. Or name another with --ledger.",
    });
  }
  await client.query("BEGIN ISOLATION LEVEL READ COMMITTED");
  try {
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    // Read again: another client may have been first to the lock.
    const version = await checkedVersion(client, place);
    if (version === 0) await createSchema(client);
    for (const [at, migration] of POSTGRES_MIGRATIONS.entries()) {
      if (at < version) continue;
      await client.query(migration);
      await client.query("INSERT INTO migrations (version) VALUES ($1)", [at + 1]);
    }
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function createSchema(client: Client): Promise<void> {
  // Asked first: CREATE SCHEMA IF NOT EXISTS needs the right to create even where one exists.
  const { rows } = await client.query("SELECT FROM pg_namespace WHERE nspname = $1", [SCHEMA]);
  if (rows.length === 0) await client.query(`CREATE SCHEMA ${SCHEMA}`);
  await client.query(`CREATE TABLE IF NOT EXISTS migrations (
    version INTEGER PRIMARY KEY,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
  )`);
}

/** How many migrations the tables have had; 0 where there are none. Throws when it is too many. */
async function checkedVersion(client: Client, place: string): Promise<number> {
  // A query of the catalogue sees what another client has just committed. to_regclass need not: it
  // answers from a cache, which waiting for an advisory lock does not refresh.
  const present = await client.query(
    "SELECT FROM pg_tables WHERE schemaname = $1 AND tablename = 'migrations'",
    [SCHEMA],
  );
  if (present.rows.length === 0) return 0;
  const { rows } = await client.query<{ version: number }>(
    `SELECT coalesce(max(version), 0) AS version FROM ${SCHEMA}.migrations`,
  );
  const version = rows[0]?.version ?? 0;
  const newest = POSTGRES_MIGRATIONS.length;
  if (version > newest) {
    throw new UserError(
      "unsupported",
      `the ledger ${place} is of version ${version}; this godwit knows up to ${newest}`,
      { hint: "Update godwit, or name another ledger with --ledger or GODWIT_LEDGER." },
    );
  }
  return version;
}

async function isWritable(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ writable: boolean }>(`
    SELECT current_setting('transaction_read_only') = 'off'
      AND has_table_privilege('cards', 'INSERT')
      AND has_table_privilege('cards', 'UPDATE') AS writable`);
  return rows[0]?.writable ?? false;
}
