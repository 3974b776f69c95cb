// How readers of data files complain: the file, the place in it, the fault, the remedy.

import { type Host, hostErrorCode, reasonOf, UserError } from "../../../core/index.ts";

/** Largest file that is read into memory whole. Node's own limit for one read is 2 GiB. */
export const MAX_FILE_BYTES = 2 ** 31 - 1;

/** A fault of a data file. `place` is a row, a column, an entry: whatever finds it again. */
export function dataFault(
  file: string,
  place: string | null,
  fault: string,
  hint: string,
  cause?: unknown,
): UserError {
  const where = place === null ? file : `${file}, ${place}`;
  return new UserError("invalid-input", `${where}: ${fault}`, { hint, cause });
}

/** All bytes of a file. Throws UserError when it cannot be read or is too large for memory. */
export async function readFileBytes(host: Host, path: string): Promise<Uint8Array> {
  try {
    return await host.readBytes(path, MAX_FILE_BYTES);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** The fault of a file or folder that the host could not read. */
export function unreadable(path: string, cause: unknown): UserError {
  const code = hostErrorCode(cause);
  if (code === "ENOENT") {
    return new UserError("invalid-input", `there is no file or folder ${path}`, {
      hint: "Check the path; `godwit data list` names the datasets known by name.",
      cause,
    });
  }
  if (code === "EFBIG" || code === "ERR_FS_FILE_TOO_LARGE") {
    const hint = "Split the file, or give a module that yields samples.";
    return dataFault(path, null, "over 2 GiB, too large to be read whole", hint, cause);
  }
  return new UserError("denied", `cannot read ${path} (${code ?? reasonOf(cause)})`, {
    hint: "Check its permissions.",
    cause,
  });
}
