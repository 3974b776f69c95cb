// One connection to PostgreSQL as the ledger wants it: encrypted as the URL says, with limits on
// every wait. The package `pg` is optional and loaded here alone, when it is first needed.
// See docs/decisions/0008-postgres.md.

import { readFile } from "node:fs/promises";
import type { ConnectionOptions } from "node:tls";
import type { Client, ClientConfig } from "pg";
import { hostErrorCode, UserError } from "../core/index.ts";
import { postgresFault } from "./postgres-faults.ts";
import type { PostgresServer } from "./postgres-url.ts";

/** The schema that holds all of godwit's tables, so that a database can be shared with others. */
export const SCHEMA = "godwit";

/** A transaction whose client has gone away quietly holds its locks no longer than this. */
const IDLE_IN_TRANSACTION_MS = 60_000;
/** What the network may add to the server's own limit before a statement counts as lost. */
const NETWORK_MS = 5_000;

/** Loads the driver; injected so that a test can do without it. */
export type LoadDriver = () => Promise<typeof import("pg")>;

export const loadDriver: LoadDriver = () => import("pg");

export interface ConnectOptions {
  readonly server: PostgresServer;
  /** Longest time for one statement on the server, milliseconds. */
  readonly statementTimeout: number;
  readonly load: LoadDriver;
}

/** Connects. Throws UserError, which never holds the password. */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { server, load } = options;
  const { Client } = await loaded(load);
  const config = configOf(options);
  for (const ssl of await encryptions(server)) {
    const client = new Client({ ...config, ssl });
    // A connection that breaks while nobody waits for it must not end the process: the next
    // statement meets the fault.
    client.on("error", () => {});
    try {
      await client.connect();
      await client.query(`SET search_path TO ${SCHEMA}`);
      return client;
    } catch (error) {
      client.end().catch(() => {});
      if (!hasNoEncryption(error)) throw postgresFault(server.name, error);
    }
  }
  throw new UserError("network", `the server of the ledger ${server.name} does not encrypt`, {
    hint: "Turn on ssl in the server's configuration, or allow less with sslmode=prefer.",
  });
}

async function loaded(load: LoadDriver): Promise<typeof import("pg")> {
  try {
    return await load();
  } catch (error) {
    if (hostErrorCode(error) !== "ERR_MODULE_NOT_FOUND") throw error;
    throw new UserError("ledger", "a ledger on PostgreSQL needs the package pg, which is absent", {
      hint: "Install it beside godwit: npm install pg",
      cause: error,
    });
  }
}

function configOf({ server, statementTimeout }: ConnectOptions): ClientConfig {
  return {
    host: server.host,
    port: server.port,
    database: server.database,
    user: server.user,
    ...(server.password === null ? {} : { password: server.password }),
    ...(server.options === null ? {} : { options: server.options }),
    application_name: "godwit",
    connectionTimeoutMillis: server.connectTimeout,
    keepAlive: true,
    // Zero would mean no limit to PostgreSQL.
    statement_timeout: Math.max(1, statementTimeout),
    lock_timeout: Math.max(1, statementTimeout),
    query_timeout: statementTimeout + NETWORK_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  };
}

/** The ways of encrypting to try in turn, as libpq's table of sslmode has them. */
async function encryptions(
  server: PostgresServer,
): Promise<readonly (ConnectionOptions | false)[]> {
  const { mode, rootCert, cert, key } = server.ssl;
  // A Unix socket does not leave the machine.
  if (mode === "disable" || server.host.startsWith("/")) return [false];
  const files = {
    ...(rootCert === null ? {} : { ca: await pem("sslrootcert", rootCert) }),
    ...(cert === null ? {} : { cert: await pem("sslcert", cert) }),
    ...(key === null ? {} : { key: await pem("sslkey", key) }),
  };
  const anyHost = { ...files, checkServerIdentity: () => undefined };
  switch (mode) {
    case "allow":
    case "prefer":
      return [{ ...files, rejectUnauthorized: false }, false];
    case "require":
      return [rootCert === null ? { ...files, rejectUnauthorized: false } : anyHost];
    case "verify-ca":
      return [anyHost];
    case "verify-full":
      return [files];
    default:
      return mode satisfies never;
  }
}

async function pem(parameter: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new UserError("invalid-input", `${parameter}: cannot read ${path}`, {
      hint: "Name a PEM file that exists and can be read in the URL of the ledger.",
      cause: error,
    });
  }
}

/** Said by pg when the server answers the request for TLS with N. */
function hasNoEncryption(error: unknown): boolean {
  return error instanceof Error && error.message.includes("does not support SSL");
}
