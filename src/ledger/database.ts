// SQLite as the ledger wants it: write-ahead log, strict tables, versioned by `user_version`, and
// SQLite's errors in words that a person can act on. See docs/decisions/0003-sqlite-ledger.md.

import type { DatabaseSync } from "node:sqlite";
import { setTimeout as delay } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { reasonOf, UserError } from "../core/index.ts";

/** "godw" in ASCII; tells a ledger from another program's SQLite file. */
const APPLICATION_ID = 0x676f6477;

/**
 * How long SQLite itself waits for a lock. Short, because it blocks the event loop; `patiently`
 * waits longer without blocking.
 */
const BUSY_TIMEOUT_MS = 100;

/** How a ledger's file is opened: by several writers, or from a folder that cannot be written. */
export type Access = "write" | "read";

/**
 * Opens the database of a ledger. With `read`, no file is made beside it, so that it works in a
 * folder that is read-only; the caller makes sure that no write-ahead log is waiting there.
 */
export function openDatabase(path: string, access: Access): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  if (access === "read") {
    const url = pathToFileURL(path);
    url.searchParams.set("immutable", "1");
    return new DatabaseSync(url, { readOnly: true });
  }
  const database = new DatabaseSync(path);
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  return database;
}

/**
 * Loads `node:sqlite` without the line that Node 22 prints about it on stderr: a user of godwit
 * cannot act on it. All other warnings pass.
 */
function loadSqlite(): typeof import("node:sqlite") {
  const emitWarning = process.emitWarning;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (String(warning).includes("SQLite is an experimental feature")) return;
    Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    return process.getBuiltinModule("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}

/**
 * Brings a database to the newest of `migrations`; its version is how many of them it has had.
 * Each step is one transaction, so that several processes may start at once. Throws UserError when
 * the file is another program's or of a newer godwit; nothing is changed then.
 */
export function migrate(database: DatabaseSync, path: string, migrations: readonly string[]): void {
  if (checkedVersion(database, path, migrations) === migrations.length) return;
  // Outside a transaction, as SQLite requires. The journal mode is kept in the file.
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("BEGIN IMMEDIATE");
  try {
    // Read again: another process may have been first to the lock.
    const version = checkedVersion(database, path, migrations);
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** The version of a ledger's file; 0 for an empty one. Throws UserError when it is not for us. */
export function checkedVersion(
  database: DatabaseSync,
  path: string,
  migrations: readonly string[],
): number {
  const version = pragma(database, "user_version");
  const application = pragma(database, "application_id");
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get();
  const empty = Number(tables?.["count"]) === 0;
  if (application !== APPLICATION_ID && !(empty && application === 0 && version === 0)) {
    throw new UserError("ledger", `${path} is a SQLite file of another program`, {
      hint: "Name another folder with --ledger or GODWIT_LEDGER.",
    });
  }
  if (version > migrations.length) {
    throw new UserError(
      "unsupported",
      `the ledger ${path} is of version ${version}; this godwit knows up to ${migrations.length}`,
      { hint: "Update godwit, or name another folder with --ledger or GODWIT_LEDGER." },
    );
  }
  return version;
}

function pragma(database: DatabaseSync, name: "user_version" | "application_id"): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Primary result codes of SQLite, https://sqlite.org/rescode.html. */
const SQLITE = {
  permission: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  inputOutput: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  protocol: 15,
  notADatabase: 26,
} as const;

/** The primary result code of an error of SQLite, or null for any other error. */
function sqliteCode(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("errcode" in error)) return null;
  return typeof error.errcode === "number" ? error.errcode & 0xff : null;
}

/** What a waiting writer may do; injected so that tests need not wait. */
export interface Patience {
  /** Milliseconds after which a busy ledger is an error. */
  readonly total: number;
}

export const DEFAULT_PATIENCE: Patience = { total: 30_000 };

/**
 * Runs an action again while other processes hold the lock, after pauses that grow to a quarter of
 * a second and are drawn at random, so that writers who collided once do not collide again.
 */
export async function patiently<T>(path: string, patience: Patience, action: () => T): Promise<T> {
  const start = performance.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return action();
    } catch (error) {
      const late = performance.now() - start >= patience.total;
      if (!isBusy(error) || late) throw databaseFault(path, error);
    }
    await delay(Math.random() * Math.min(250, 5 * 2 ** attempt));
  }
}

function isBusy(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE.busy || code === SQLITE.locked || code === SQLITE.protocol;
}

/** An error of the database in the user's words; what is not SQLite's passes unchanged. */
function databaseFault(path: string, error: unknown): unknown {
  const fault = (message: string, hint: string): UserError =>
    new UserError("ledger", message, { hint, cause: error });
  switch (sqliteCode(error)) {
    case null:
      return error;
    case SQLITE.busy:
    case SQLITE.locked:
    case SQLITE.protocol:
      return fault(
        `the ledger ${path} stayed locked by another process`,
        "Wait for the other process, or end it if it hangs.",
      );
    case SQLITE.corrupt:
    case SQLITE.notADatabase:
      return fault(
        `the ledger ${path} is damaged: ${reasonOf(error)}`,
        "Nothing was changed. Move the file away to start a new ledger; the segments beside it stay.",
      );
    case SQLITE.full:
      return fault(`no space left for the ledger ${path}`, "Free some space and try again.");
    case SQLITE.readOnly:
    case SQLITE.permission:
      return fault(
        `the ledger ${path} cannot be written: ${reasonOf(error)}`,
        "Make the file and its folder writable, or name another folder with --ledger.",
      );
    case SQLITE.cannotOpen:
    case SQLITE.inputOutput:
      return fault(
        `cannot read the ledger ${path}: ${reasonOf(error)}`,
        "Check the file, its folder and the disk, or name another folder with --ledger.",
      );
    default:
      return fault(`the ledger ${path} failed: ${reasonOf(error)}`, "Please report this as a bug.");
  }
}

/** All of an action or nothing; the lock is taken at once. */
export function inTransaction<T>(database: DatabaseSync, action: () => T): T {
  // Immediate: a transaction that reads first and then cannot write would have to start over.
  database.exec("BEGIN IMMEDIATE");
  try {
    const result = action();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
