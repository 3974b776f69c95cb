// PostgreSQL's errors in words that a person can act on. No message here quotes a URL or a password.

import { hostErrorCode, reasonOf, UserError } from "../core/index.ts";

interface Known {
  readonly why: string;
  readonly hint: string;
}

const REACH: Known = {
  why: "cannot be reached",
  hint: "Check that the server runs and that its host and port are right.",
};

const DENIED: Known = {
  why: "refused the user or the password",
  hint: "Check the user in the URL, and the password there or in PGPASSWORD.",
};

/** By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), or its class. */
const BY_STATE: Readonly<Record<string, Known>> = {
  "28": DENIED,
  "3D000": {
    why: "does not exist: the server has no such database",
    hint: "Create it with createdb, or name another in the URL.",
  },
  "42501": {
    why: "does not permit this user what is needed",
    hint: "GRANT the user the rights on the schema godwit, or CREATE on the database.",
  },
  "25006": {
    why: "can only be read",
    hint: "Name the primary server in the URL, not a standby.",
  },
  "57014": {
    why: "took too long for a statement, which was cancelled",
    hint: "Try again; look at the server's load and for locks that are held.",
  },
  "55P03": {
    why: "stayed locked by another client",
    hint: "Wait for the other client, or end it if it hangs.",
  },
  "53": {
    why: "has no room left (connections, memory or disk)",
    hint: "Free some on the server and try again.",
  },
  "57P": { ...REACH, why: "is starting or shutting down" },
  "08": { ...REACH, why: "was lost" },
};

/** Faults below the protocol: names, sockets, TLS. */
const NETWORK_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
]);

/** Said by pg without a code: connection.js and client.js of version 8. */
const NETWORK_TEXT = /timeout|terminated|not queryable|connection is closed|SSL connection/i;

/** An error of the server or the way to it, for a user; what is neither passes unchanged. */
export function postgresFault(place: string, error: unknown): unknown {
  if (error instanceof UserError) return error;
  const code = hostErrorCode(error);
  const known = code === null ? undefined : stateOf(code);
  if (known !== undefined) {
    const network = known.hint === REACH.hint;
    return new UserError(network ? "network" : "ledger", `the ledger ${place} ${known.why}`, {
      hint: known.hint,
      cause: error,
    });
  }
  const reason = reasonOf(error) || String(code);
  if ((code !== null && NETWORK_CODES.has(code)) || NETWORK_TEXT.test(reason)) {
    return new UserError("network", `the ledger ${place} ${REACH.why}: ${reason}`, {
      hint: REACH.hint,
      cause: error,
    });
  }
  if (code !== null && /CERT|SIGNED|ISSUER|SSL|TLS/.test(code)) {
    return new UserError("network", `the ledger ${place} is not trusted: ${reason}`, {
      hint: "Name the authority of its certificate with sslrootcert in the URL.",
      cause: error,
    });
  }
  if (code !== null && /^[\dA-Z]{5}$/.test(code)) {
    return new UserError("ledger", `the ledger ${place} failed: ${reason} (${code})`, {
      hint: "Look the code up in PostgreSQL's manual; its log says more.",
      cause: error,
    });
  }
  if (/password/i.test(reason)) {
    return new UserError("ledger", `the ledger ${place} ${DENIED.why}`, { hint: DENIED.hint });
  }
  return error;
}

function stateOf(code: string): Known | undefined {
  if (!/^[\dA-Z]{5}$/.test(code)) return undefined;
  return BY_STATE[code] ?? BY_STATE[code.slice(0, 3)] ?? BY_STATE[code.slice(0, 2)];
}
