// Where cards and segments are kept: `.godwit/` of the project, unless a flag or the environment
// names another folder, or a PostgreSQL server. It holds `ledger.db`, `segments/` and a `.gitignore`
// that hides it all. What belongs to a server's ledger and stays on this machine has a folder of its
// own in it: the segments must not be taken for interrupted runs of the project's own ledger.

import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { hostErrorCode, reasonOf, UserError } from "../core/index.ts";
import { type PostgresServer, parsePostgresUrl, schemeOf } from "./postgres-url.ts";

const FOLDER_NAME = ".godwit";
const PROJECT_MARKS = ["package.json", ".git", "pyproject.toml"];

/** A ledger: cards in a folder or on a server, segments in a folder, which may not exist yet. */
export interface LedgerPlace {
  readonly folder: string;
  /** Absent when the cards are in the folder too. */
  readonly server?: PostgresServer;
}

/** A ledger that was found. */
export interface LedgerLocation extends LedgerPlace {
  /** Who chose it. A folder that a person named must exist to be read. */
  readonly chosenBy: "flag" | "environment" | "project";
}

/**
 * Finds the ledger: `flag`, else `GODWIT_LEDGER`, else `.godwit` in the nearest folder
 * upward that has one, else in the nearest that holds a project, else in `cwd`. A `postgres://` or `postgresql://` URL names a
 * server. Throws UserError `usage` for a URL that cannot be used, without quoting it.
 */
export function locateLedger(options: {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flag?: string | undefined;
}): LedgerLocation {
  const { cwd, env, flag } = options;
  if (flag === "") {
    throw new UserError("usage", "the ledger's folder is empty text", {
      hint: "Give --ledger a folder, or leave it out to use the project's .godwit.",
    });
  }
  const named = flag ?? env["GODWIT_LEDGER"];
  if (!named) return { folder: projectFolder(cwd), chosenBy: "project" };
  const chosenBy = flag === undefined ? "environment" : "flag";
  const scheme = schemeOf(named);
  if (scheme === null) return { folder: resolve(cwd, named), chosenBy };
  if (scheme !== "postgres" && scheme !== "postgresql") {
    throw new UserError("usage", `a ledger cannot be at a URL of ${scheme}://`, {
      hint: "Name a folder, or a server as postgresql://user@host:port/database.",
    });
  }
  const server = parsePostgresUrl(named, env);
  const own = encodeURIComponent(server.name.slice("postgresql://".length));
  return { folder: join(projectFolder(cwd), "servers", own), server, chosenBy };
}

function projectFolder(cwd: string): string {
  const upward = foldersUpward(resolve(cwd));
  const kept = upward.find((folder) => isFolder(join(folder, FOLDER_NAME)));
  const project = upward.find((folder) =>
    PROJECT_MARKS.some((mark) => existsSync(join(folder, mark))),
  );
  return join(kept ?? project ?? cwd, FOLDER_NAME);
}

function foldersUpward(from: string): readonly string[] {
  const above = dirname(from);
  return above === from ? [from] : [from, ...foldersUpward(above)];
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Makes the folder when it is missing, with a `.gitignore` for everything in it. A folder that was
 * there before keeps its own rules. Throws node's error.
 */
export function makeLedgerFolder(folder: string): void {
  const made = makeFolders(folder);
  if (made !== undefined) writeFileSync(join(folder, ".gitignore"), "*\n");
}

/** Gives the first folder made, if any. Throws node's error. */
function makeFolders(folder: string): string | undefined {
  try {
    return mkdirSync(folder, { recursive: true });
  } catch (error) {
    // Of a read-only file system Node says that the folder is missing, unless it is asked for it alone.
    if (hostErrorCode(error) === "ENOENT") mkdirSync(folder);
    throw error;
  }
}

/** The error for a ledger's folder or file that cannot be used. */
export function ledgerFault(path: string, error: unknown): UserError {
  if (error instanceof UserError) return error;
  switch (hostErrorCode(error)) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new UserError("ledger", `cannot use the ledger at ${path}: ${reasonOf(error)}`, {
        hint: "Make the folder writable, or name another with --ledger or GODWIT_LEDGER.",
        cause: error,
      });
    case "ENOTDIR":
    case "EEXIST":
      return new UserError("ledger", `the ledger at ${path} is a file, not a folder`, {
        hint: "Name the folder that holds ledger.db with --ledger or GODWIT_LEDGER.",
        cause: error,
      });
    case "ENOSPC":
    case "EDQUOT":
      return new UserError("ledger", `no space left for the ledger at ${path}`, {
        hint: "Free some space, or name a folder on another disk with --ledger.",
        cause: error,
      });
    default:
      return new UserError("ledger", `cannot use the ledger at ${path}: ${reasonOf(error)}`, {
        hint: "Check the path, or name another folder with --ledger or GODWIT_LEDGER.",
        cause: error,
      });
  }
}
