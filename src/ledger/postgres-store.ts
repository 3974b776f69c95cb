// A ledger's database on a PostgreSQL server, which many machines may write at once.

import type { Client } from "pg";
import { UserError } from "../core/index.ts";
import { postgresFault } from "./postgres-faults.ts";
import type { Row, SqlStore, Statement } from "./store.ts";

interface Opened {
  readonly client: Client;
  /** Makes another connection once the first was lost. */
  readonly connect: () => Promise<Client>;
  readonly folder: string;
  readonly place: string;
  readonly writable: boolean;
}

/** The store on a database that was connected and migrated; it owns the connection from now on. */
export function postgresStore(opened: Opened): SqlStore {
  const { connect, folder, place, writable } = opened;
  let current: Client | null = follow(opened.client);
  let closed = false;
  let turn: Promise<unknown> = Promise.resolve();

  function follow(client: Client): Client {
    client.once("end", () => {
      if (current === client) current = null;
    });
    return client;
  }

  async function attempt<T>(action: (client: Client) => Promise<T>): Promise<T> {
    if (closed) {
      throw new UserError("ledger", `the ledger ${place} is closed`, { hint: "Open it again." });
    }
    current ??= follow(await connect());
    const client = current;
    try {
      return await action(client);
    } catch (error) {
      const fault = postgresFault(place, error);
      if (fault instanceof UserError && fault.code === "network") {
        current = null;
        client.end().catch(() => {});
      }
      throw fault;
    }
  }

  /** One after another: statements of two transactions on one connection would mix. */
  function inTurn<T>(action: (client: Client) => Promise<T>): Promise<T> {
    const result = turn.then(() => attempt(action));
    turn = result.catch(() => {});
    return result;
  }

  return {
    folder,
    place,
    writable,
    read: (statement) => inTurn((client) => run(client, statement)),
    async write(statements) {
      if (!writable) {
        throw new UserError("ledger", `the ledger ${place} cannot be written`, {
          hint: "GRANT the user the rights to write, or name the primary server in the URL.",
        });
      }
      return inTurn((client) => inTransaction(client, statements));
    },
    close() {
      closed = true;
      current?.end().catch(() => {});
      current = null;
    },
  };
}

async function run(client: Client, { sql, values }: Statement): Promise<readonly Row[]> {
  let at = 0;
  const numbered = sql.replaceAll("?", () => `$${++at}`);
  const { rows } = await client.query<Row>(numbered, [...values]);
  return rows;
}

async function inTransaction(
  client: Client,
  statements: readonly Statement[],
): Promise<readonly Row[]> {
  await client.query("BEGIN ISOLATION LEVEL READ COMMITTED");
  try {
    let rows: readonly Row[] = [];
    for (const statement of statements) rows = await run(client, statement);
    await client.query("COMMIT");
    return rows;
  } catch (error) {
    // On a connection that was lost this fails too, and the server rolls back by itself.
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}
