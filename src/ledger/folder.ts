// Where cards and segments are kept: `.godwit/` of the project, unless a flag or the environment
// names another folder. It holds `ledger.db`, `segments/` and a `.gitignore` that hides it all.

import { existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { hostErrorCode, reasonOf, UserError } from "../core/index.ts";

const FOLDER_NAME = ".godwit";
const PROJECT_MARKS = ["package.json", ".git", "pyproject.toml"];

/** A ledger's folder, which may not exist yet. */
export interface LedgerLocation {
  readonly folder: string;
  /** Who chose it. A folder that a person named must exist to be read. */
  readonly chosenBy: "flag" | "environment" | "project";
}

/**
 * Finds the ledger's folder: `flag`, else `GODWIT_LEDGER`, else `.godwit` in the nearest folder
 * upward that has one, else in the nearest that holds a project, else in `cwd`.
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
  if (flag !== undefined) return { folder: resolve(cwd, flag), chosenBy: "flag" };
  const named = env["GODWIT_LEDGER"];
  if (named) return { folder: resolve(cwd, named), chosenBy: "environment" };

  const upward = foldersUpward(resolve(cwd));
  const kept = upward.find((folder) => isFolder(join(folder, FOLDER_NAME)));
  const project = upward.find((folder) =>
    PROJECT_MARKS.some((mark) => existsSync(join(folder, mark))),
  );
  return { folder: join(kept ?? project ?? cwd, FOLDER_NAME), chosenBy: "project" };
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
  const made = mkdirSync(folder, { recursive: true });
  if (made !== undefined) writeFileSync(join(folder, ".gitignore"), "*\n");
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
