// What a ledger asks of a database. SQLite and PostgreSQL share every statement but the definition
// of the tables; parameters are written `?`.

/** A value that goes into a statement. */
export type SqlValue = string | number | null;

/** One line of an answer, by column. */
export type Row = Readonly<Record<string, unknown>>;

export interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

/** A database that was opened and migrated. Its errors are UserErrors already. */
export interface SqlStore {
  /** The folder of the segments. */
  readonly folder: string;
  /** What the ledger is called in messages: a path, or an address without credentials. */
  readonly place: string;
  readonly writable: boolean;
  read(statement: Statement): Promise<readonly Row[]>;
  /** All statements or none; durable once resolved. Gives back the rows of the last. */
  write(statements: readonly Statement[]): Promise<readonly Row[]>;
  close(): void;
}

/** A statement with its values. */
export const statement = (sql: string, ...values: readonly SqlValue[]): Statement => ({
  sql,
  values,
});
