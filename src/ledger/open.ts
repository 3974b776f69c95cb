// Opening a ledger: what is at the path, whether it can be written, and every way it can be wrong.

import { accessSync, constants, statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { UserError } from "../core/index.ts";
import { cardLedger } from "./card-ledger.ts";
import {
  checkedVersion,
  DEFAULT_PATIENCE,
  migrate,
  openDatabase,
  type Patience,
  patiently,
} from "./database.ts";
import { type LedgerPlace, ledgerFault, makeLedgerFolder } from "./folder.ts";
import type { Ledger } from "./ledger.ts";
import type { PostgresServer } from "./postgres-url.ts";
import { SQLITE_MIGRATIONS } from "./schema.ts";
import { sqliteStore } from "./sqlite-store.ts";

export interface OpenOptions {
  /** What to do when there is no ledger in the folder yet. */
  readonly ifAbsent?: "create" | "fail";
  readonly patience?: Patience;
  /** Told of what happened to cards that waited for their server. */
  readonly onNotice?: (text: string) => void;
}

/**
 * Opens the ledger in a folder or on a server. One that cannot be written can be read alone. Throws
 * UserError when there is none (`ifAbsent: "fail"`), when the path is something else, when it is
 * damaged, another program's, or of a newer godwit; nothing is ever overwritten.
 */
export async function openLedger(
  at: string | LedgerPlace,
  options: OpenOptions = {},
): Promise<Ledger> {
  const { ifAbsent = "create", patience = DEFAULT_PATIENCE, onNotice = () => {} } = options;
  const { folder, server }: LedgerPlace = typeof at === "string" ? { folder: at } : at;
  if (server === undefined) return openSqlite(folder, ifAbsent, patience);
  // Loaded when needed: most ledgers are files.
  const { openPostgres } = await import("./open-postgres.ts");
  const statementTimeout = patience.total;
  return openPostgres({ server, folder, ifAbsent, statementTimeout, onNotice });
}

async function openSqlite(
  folder: string,
  ifAbsent: "create" | "fail",
  patience: Patience,
): Promise<Ledger> {
  const path = join(folder, "ledger.db");
  if (ifAbsent === "fail" && !ledgerExists(folder)) {
    throw new UserError("ledger", `there is no ledger at ${folder}`, {
      hint: "Measure something first: godwit run -- COMMAND. Or name another folder with --ledger.",
    });
  }
  try {
    makeLedgerFolder(folder);
  } catch (error) {
    throw ledgerFault(folder, error);
  }
  const writable = isWritable(folder, path);
  const database = await patiently(path, patience, () =>
    writable ? openForWriting(path) : openForReading(path),
  );
  return cardLedger(sqliteStore({ database, folder, path, writable, patience }));
}

/** Connects to a server and leaves it as it is. Throws UserError when it cannot be used. */
export async function checkServer(server: PostgresServer): Promise<void> {
  const { checkPostgres } = await import("./open-postgres.ts");
  await checkPostgres(server, DEFAULT_PATIENCE.total);
}

/** Whether there is a ledger's file in a folder. Throws UserError when the path is unusable. */
export function ledgerExists(folder: string): boolean {
  const path = join(folder, "ledger.db");
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) {
      throw new UserError("ledger", `${path} is a folder, not a ledger's file`, {
        hint: "Name another folder with --ledger or GODWIT_LEDGER.",
      });
    }
    return found !== undefined;
  } catch (error) {
    throw ledgerFault(folder, error);
  }
}

function isWritable(folder: string, path: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    if (ledgerExists(folder)) accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch (error) {
    if (!ledgerExists(folder)) throw ledgerFault(folder, error);
    return false;
  }
}

function openForWriting(path: string): DatabaseSync {
  const database = openDatabase(path, "write");
  try {
    migrate(database, path, SQLITE_MIGRATIONS);
    // With a write-ahead log, NORMAL survives the death of any process; a power cut may lose the
    // last cards, never damage the file (https://sqlite.org/pragma.html#pragma_synchronous).
    database.exec("PRAGMA synchronous = NORMAL");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function openForReading(path: string): DatabaseSync {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw ledgerFault(path, error);
  }
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw new UserError("ledger", `the ledger ${path} has unmerged changes and cannot be written`, {
      hint: "Copy its whole folder to a place that can be written, and name it with --ledger.",
    });
  }
  const database = openDatabase(path, "read");
  try {
    if (checkedVersion(database, path, SQLITE_MIGRATIONS) === SQLITE_MIGRATIONS.length)
      return database;
    throw new UserError("ledger", `the ledger ${path} is of an older version and read-only`, {
      hint: "Copy its folder to a place that can be written, and name it with --ledger.",
    });
  } catch (error) {
    database.close();
    throw error;
  }
}
