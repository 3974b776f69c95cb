// The address of a ledger on PostgreSQL, read from a URL as libpq reads it
// (https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS), with the
// variables PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD and PGSSLMODE for what it leaves out.
// No error here quotes the URL: it may hold a password.

import { userInfo } from "node:os";
import { UserError } from "../core/index.ts";

/** How a connection is encrypted and whom it trusts, as libpq names it. */
type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full";

const SSL_MODES: readonly SslMode[] = [
  "disable",
  "allow",
  "prefer",
  "require",
  "verify-ca",
  "verify-full",
];

/** Where a PostgreSQL server is and how to log in. Printing it shows no secret. */
export interface PostgresServer {
  /** `postgresql://host:port/database`, for people: without user, password and options. */
  readonly name: string;
  /** A host's name or address, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** A function, so that no inspection or serialisation of the object reveals it. */
  readonly password: (() => string) | null;
  readonly ssl: {
    readonly mode: SslMode;
    /** Paths of PEM files: authorities to trust, the client's certificate and its key. */
    readonly rootCert: string | null;
    readonly cert: string | null;
    readonly key: string | null;
  };
  /** Longest wait for a connection, milliseconds. */
  readonly connectTimeout: number;
  /** Command-line options for the server's process, such as a role to take. */
  readonly options: string | null;
}

const PARAMETERS = new Set([
  "host",
  "port",
  "user",
  "password",
  "dbname",
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "connect_timeout",
  "options",
]);

const PARTS =
  /^postgres(?:ql)?:\/\/(?:(?<user>[^:@/?#]*)(?::(?<password>[^@/?#]*))?@)?(?<host>\[[\da-f:.]+\]|[^:@/?#,[\]]*)(?::(?<port>\d+))?(?:\/(?<dbname>[^/?#]*))?(?:\?(?<query>[^#]*))?$/i;

const DEFAULT_CONNECT_TIMEOUT_S = 5;

/** The scheme of a text that is a URL, in lower case; null for a path of a folder. */
export function schemeOf(text: string): string | null {
  return /^(?<scheme>[a-z][\w+.-]*):\/\//i.exec(text)?.groups?.["scheme"]?.toLowerCase() ?? null;
}

/** Reads a URL. Throws UserError `usage` for what it does not understand, never quoting it. */
export function parsePostgresUrl(
  url: string,
  env: Readonly<Record<string, string | undefined>> = {},
): PostgresServer {
  const parts = PARTS.exec(url)?.groups;
  if (parts === undefined) throw malformed("it is not like postgresql://user@host:port/database");
  const query = new URLSearchParams(parts["query"] ?? "");
  for (const key of query.keys()) {
    if (!PARAMETERS.has(key)) throw malformed(`it has an unknown parameter, ${key}`);
  }
  const given = (key: string, variable?: string): string | null =>
    query.get(key) || decoded(parts[key]) || (variable && env[variable]) || null;

  const host = given("host", "PGHOST")?.replace(/^\[(.*)\]$/, "$1") ?? "localhost";
  const port = Number(given("port", "PGPORT") ?? 5432);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw malformed("its port is not a whole number from 1 to 65535");
  }
  const user = given("user", "PGUSER") ?? userInfo().username;
  const database = given("dbname", "PGDATABASE") ?? user;
  const password = given("password", "PGPASSWORD");
  const timeout = Number(query.get("connect_timeout") ?? DEFAULT_CONNECT_TIMEOUT_S);
  if (!(timeout > 0)) throw malformed("its connect_timeout is not a positive number of seconds");
  return {
    name: nameOf(host, port, database),
    host,
    port,
    database,
    user,
    password: password === null ? null : () => password,
    ssl: sslOf(given("sslmode", "PGSSLMODE"), query),
    connectTimeout: timeout * 1000,
    options: query.get("options"),
  };
}

function nameOf(host: string, port: number, database: string): string {
  const where = host.startsWith("/") ? encodeURIComponent(host) : host;
  const bracketed = where.includes(":") ? `[${where}]` : where;
  return `postgresql://${bracketed}:${port}/${encodeURIComponent(database)}`;
}

function sslOf(text: string | null, query: URLSearchParams): PostgresServer["ssl"] {
  const rootCert = query.get("sslrootcert");
  const mode = SSL_MODES.find((known) => known === (text ?? "prefer"));
  if (mode === undefined) throw malformed(`its sslmode is none of ${SSL_MODES.join(", ")}`);
  if (mode === "verify-ca" && rootCert === null) {
    // Any certificate of any public authority would do then, for any host.
    throw malformed("sslmode=verify-ca needs sslrootcert; verify-full does without");
  }
  return { mode, rootCert, cert: query.get("sslcert"), key: query.get("sslkey") };
}

function decoded(text: string | undefined): string | null {
  try {
    return text === undefined ? null : decodeURIComponent(text);
  } catch {
    throw malformed("it has a % that is not followed by two hexadecimal digits");
  }
}

function malformed(why: string): UserError {
  return new UserError("usage", `the URL of the ledger cannot be used: ${why}`, {
    hint:
      "Write postgresql://user@host:port/database?sslmode=verify-full, or for a Unix socket\n" +
      "postgresql:///database?host=/var/run/postgresql. Special characters of a password are\n" +
      "written as %XX; better, leave it out of the URL and set PGPASSWORD.",
  });
}
