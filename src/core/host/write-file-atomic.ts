// Writing a file so that readers see the old text or the new one, never a part: a temporary file in
// the same folder, then a rename (POSIX rename(2) replaces in one step).

import { randomBytes } from "node:crypto";
import { access, constants, open, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { shellWord } from "../shell-word.ts";
import { hostErrorCode } from "./host.ts";

/**
 * Refuses what `writeFileAtomic` could not write, before work that would be lost with it. Throws
 * UserError as that does.
 */
export async function checkWritable(path: string): Promise<void> {
  const present = await stat(path).catch(() => null);
  if (present?.isDirectory()) throw isFolder(path);
  const inPlace = present !== null && !present.isFile();
  try {
    await access(inPlace ? path : dirname(path), constants.W_OK);
  } catch (error) {
    throw refusal(path, error);
  }
}

/**
 * Writes a file in one step, from pieces one after the other where it comes in pieces. What is not a
 * plain file (a pipe, /dev/stdout) is written to as it is. Throws UserError `denied` or
 * `invalid-input`, naming the path.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array | Iterable<Uint8Array>,
): Promise<void> {
  const present = await stat(path).catch(() => null);
  if (present?.isDirectory()) throw isFolder(path);
  const inPlace = present !== null && !present.isFile();
  const suffix = `.${process.pid}-${randomBytes(4).toString("hex")}.tmp`;
  const target = inPlace ? path : `${path}${suffix}`;
  try {
    const handle = await open(target, inPlace ? "w" : "wx", present?.mode ?? 0o666);
    try {
      await handle.writeFile(content);
    } finally {
      await handle.close();
    }
    if (!inPlace) await rename(target, path);
  } catch (error) {
    if (!inPlace) await rm(target, { force: true }).catch(() => undefined);
    throw refusal(path, error);
  }
}

const isFolder = (path: string): UserError =>
  new UserError("invalid-input", `cannot write to ${path}: it is a folder`, {
    hint: `Name a file inside it: ${join(path, "NAME")}.`,
  });

/** What a fault of the system means for whoever named the path. */
export function refusal(path: string, error: unknown): UserError {
  const folder = dirname(path);
  switch (hostErrorCode(error)) {
    case "ENOENT":
    case "ENOTDIR":
      return new UserError("invalid-input", `cannot write ${path}: there is no folder ${folder}`, {
        hint: `Create it with: mkdir -p ${shellWord(folder)}`,
        cause: error,
      });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new UserError("denied", `cannot write ${path}: not permitted in ${folder}`, {
        hint: "Choose a folder that you may write to.",
        cause: error,
      });
    case "ENOSPC":
    case "EDQUOT":
      return new UserError("denied", `cannot write ${path}: the disk is full`, {
        hint: "Make room, or choose a folder on another disk. Nothing was left behind.",
        cause: error,
      });
    default:
      return new UserError("denied", `cannot write ${path}`, {
        hint: "See the cause with --debug.",
        cause: error,
      });
  }
}
