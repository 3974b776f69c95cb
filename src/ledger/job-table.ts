// The queue of jobs in one SQLite file, `jobs.db`, beside a ledger: each job as one text with a state,
// changed by read and write in one transaction, and what happened to it, line by line. Many processes
// of one machine share it. It is a file of its own, because it holds what is private to its owner
// (commands, environments) and must be on the disk before a job is acknowledged, which cards need not.

import { accessSync, chmodSync, constants, existsSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { UserError } from "../core/index.ts";
import {
  DEFAULT_PATIENCE,
  inTransaction,
  migrate,
  openDatabase,
  type Patience,
  patiently,
} from "./database.ts";
import { ledgerFault, makeLedgerFolder } from "./folder.ts";
import { JOB_MIGRATIONS } from "./schema.ts";

/** A job as it is kept: what it is found by, and all else as text. */
export interface JobRow {
  readonly id: string;
  readonly engine: string;
  readonly state: string;
  /** Orders the queue, Unix seconds. */
  readonly submittedAt: number;
  readonly text: string;
}

/** One thing that happened to a job. */
export interface JobEntry {
  /** Unix seconds. */
  readonly at: number;
  readonly kind: string;
  readonly text: string;
}

/** What a change makes of a job. */
export interface JobChange {
  readonly row: JobRow;
  readonly entries: readonly JobEntry[];
}

export interface JobFilter {
  readonly states?: readonly string[];
  readonly engine?: string;
}

/** Errors are UserErrors; nothing is half done. */
export interface JobTable {
  /** Path of the file, for messages. */
  readonly path: string;
  /** Adds a job and a text that only `secretOf` hands out. Throws when the id is taken. */
  insert(change: JobChange, secret: string | null): Promise<void>;
  read(id: string): Promise<JobRow | null>;
  /** In order of submission. */
  select(filter: JobFilter): Promise<readonly JobRow[]>;
  /**
   * Reads a job and writes what `change` makes of it, while no other process can. Null from `change`
   * leaves it as it is. `change` may be called again when the file was locked. Gives back what was read
   * and what stands now; null when there is no such job.
   */
  update(
    id: string,
    change: (row: JobRow) => JobChange | null,
  ): Promise<{ readonly before: JobRow; readonly after: JobRow } | null>;
  /** In the order in which they were written. */
  entriesOf(id: string): Promise<readonly JobEntry[]>;
  secretOf(id: string): Promise<string | null>;
  /** Overwrites the secret of a job. */
  forgetSecret(id: string): Promise<void>;
  /**
   * Takes a role that one process alone may have. Gives back the holder there is, when `isAlive` says
   * that it lives; null when the role is now `holder`'s.
   */
  takeRole(
    role: string,
    holder: string,
    isAlive: (holder: string) => boolean,
  ): Promise<string | null>;
  holderOf(role: string): Promise<string | null>;
  /** Gives a role up, if `holder` still has it. */
  leaveRole(role: string, holder: string): Promise<void>;
  /** A number that changes whenever another process has written. Cheap enough to be asked every second. */
  version(): number;
  close(): void;
}

/**
 * Opens the jobs beside the ledger in a folder. Throws UserError when they cannot be written, are damaged,
 * another program's or of a newer godwit; with `ifAbsent: "fail"` also when there are none.
 */
export async function openJobTable(
  folder: string,
  options: { readonly ifAbsent?: "create" | "fail"; readonly patience?: Patience } = {},
): Promise<JobTable> {
  const { ifAbsent = "create", patience = DEFAULT_PATIENCE } = options;
  const path = join(folder, "jobs.db");
  if (ifAbsent === "fail" && !existsSync(path))
    throw new UserError("ledger", `there are no jobs at ${folder}`, {
      hint: "Submit one: godwit submit --help. Or name another folder with --ledger.",
    });
  try {
    makeLedgerFolder(folder);
    accessSync(folder, constants.W_OK);
    if (existsSync(path)) accessSync(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw ledgerFault(path, error);
  }
  const database = await patiently(path, patience, () => openForWriting(path));
  return jobTable(database, path, patience);
}

function openForWriting(path: string): DatabaseSync {
  const database = openDatabase(path, "write");
  try {
    chmodSync(path, 0o600);
    migrate(database, path, JOB_MIGRATIONS);
    // What was acknowledged survives a power cut, and what was forgotten is overwritten.
    database.exec("PRAGMA synchronous = FULL");
    database.exec("PRAGMA secure_delete = ON");
    database.exec("PRAGMA foreign_keys = ON");
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

const COLUMNS = "id, engine, state, submitted_s, record";

function jobTable(database: DatabaseSync, path: string, patience: Patience): JobTable {
  const all = (sql: string, ...values: SQLInputValue[]) => database.prepare(sql).all(...values);
  const dataVersion = database.prepare("PRAGMA data_version");
  const read = <T>(action: () => T): Promise<T> => patiently(path, patience, action);
  const write = <T>(action: () => T): Promise<T> =>
    patiently(path, patience, () => inTransaction(database, action));
  const find = (id: string): JobRow | null => {
    const [row] = all(`SELECT ${COLUMNS} FROM jobs WHERE id = ?`, id);
    return row === undefined ? null : rowOf(row);
  };
  const note = (id: string, entries: readonly JobEntry[]): void => {
    for (const { at, kind, text } of entries)
      all(
        "INSERT INTO job_entries (job, at_s, kind, text) VALUES (?, ?, ?, ?)",
        id,
        at,
        kind,
        text,
      );
  };
  const one = (sql: string, ...values: SQLInputValue[]): string | null => {
    const found = all(sql, ...values)[0]?.["text"];
    return typeof found === "string" ? found : null;
  };
  return {
    path,
    insert: ({ row, entries }, secret) =>
      write(() => {
        if (find(row.id) !== null)
          throw new UserError("ledger", `there is a job ${row.id} already`, {
            hint: "Submit it again: each job gets an id of its own.",
          });
        const values = [row.id, row.engine, row.state, row.submittedAt, row.text];
        all(`INSERT INTO jobs (${COLUMNS}) VALUES (?, ?, ?, ?, ?)`, ...values);
        if (secret !== null) all("INSERT INTO job_secrets VALUES (?, ?)", row.id, secret);
        note(row.id, entries);
      }),
    read: (id) => read(() => find(id)),
    select: (filter) => read(() => selectRows(all, filter)),
    update: (id, change) =>
      write(() => {
        const before = find(id);
        if (before === null) return null;
        const made = change(before);
        if (made === null) return { before, after: before };
        const { row } = made;
        all("UPDATE jobs SET state = ?, record = ? WHERE id = ?", row.state, row.text, id);
        note(id, made.entries);
        return { before, after: { ...before, state: row.state, text: row.text } };
      }),
    entriesOf: (id) =>
      read(() =>
        all("SELECT at_s, kind, text FROM job_entries WHERE job = ? ORDER BY entry", id).map(
          (row): JobEntry => ({
            at: Number(row["at_s"]),
            kind: String(row["kind"]),
            text: String(row["text"]),
          }),
        ),
      ),
    secretOf: (id) => read(() => one("SELECT text FROM job_secrets WHERE job = ?", id)),
    forgetSecret: (id) => write(() => void all("DELETE FROM job_secrets WHERE job = ?", id)),
    takeRole: (role, holder, isAlive) =>
      write(() => {
        const present = one("SELECT holder AS text FROM roles WHERE role = ?", role);
        if (present !== null && present !== holder && isAlive(present)) return present;
        all("INSERT OR REPLACE INTO roles (role, holder) VALUES (?, ?)", role, holder);
        return null;
      }),
    holderOf: (role) => read(() => one("SELECT holder AS text FROM roles WHERE role = ?", role)),
    leaveRole: (role, holder) =>
      write(() => void all("DELETE FROM roles WHERE role = ? AND holder = ?", role, holder)),
    version: () => Number(dataVersion.get()?.["data_version"]),
    close() {
      if (database.isOpen) database.close();
    },
  };
}

type All = (sql: string, ...values: SQLInputValue[]) => Record<string, unknown>[];

function selectRows(all: All, { states, engine }: JobFilter): readonly JobRow[] {
  const conditions: string[] = [];
  const values: string[] = [];
  if (states !== undefined) {
    conditions.push(`state IN (${states.map(() => "?").join(", ")})`);
    values.push(...states);
  }
  if (engine !== undefined) {
    conditions.push("engine = ?");
    values.push(engine);
  }
  const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
  return all(`SELECT ${COLUMNS} FROM jobs ${where} ORDER BY submitted_s, id`, ...values).map(rowOf);
}

function rowOf(row: Record<string, unknown>): JobRow {
  return {
    id: String(row["id"]),
    engine: String(row["engine"]),
    state: String(row["state"]),
    submittedAt: Number(row["submitted_s"]),
    text: String(row["record"]),
  };
}
