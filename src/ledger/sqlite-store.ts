// A ledger's database in one SQLite file, which many processes may write at once.

import type { DatabaseSync } from "node:sqlite";
import { UserError } from "../core/index.ts";
import { inTransaction, type Patience, patiently } from "./database.ts";
import type { Row, SqlStore, Statement } from "./store.ts";

interface Opened {
  readonly database: DatabaseSync;
  readonly folder: string;
  readonly path: string;
  readonly writable: boolean;
  readonly patience: Patience;
}

/** The store on a database that was opened and migrated; it owns the database from now on. */
export function sqliteStore({ database, folder, path, writable, patience }: Opened): SqlStore {
  const run = ({ sql, values }: Statement): readonly Row[] => database.prepare(sql).all(...values);
  return {
    folder,
    place: path,
    writable,
    read: (statement) => patiently(path, patience, () => run(statement)),
    async write(statements) {
      if (!writable) {
        throw new UserError("ledger", `the ledger ${path} cannot be written`, {
          hint: "Make the file and its folder writable, or name another folder with --ledger.",
        });
      }
      return patiently(path, patience, () =>
        inTransaction(database, () => statements.map(run).at(-1) ?? []),
      );
    },
    close() {
      if (database.isOpen) database.close();
    },
  };
}
