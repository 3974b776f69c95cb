// A file as a source of bytes, read piece by piece with synchronous reads.

import { closeSync, fstatSync, openSync, readSync, realpathSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { UserError } from "../errors.ts";
import { hostErrorCode } from "./host.ts";

/** Random access to a file's bytes, from `openFileSource`. */
export interface FileSource {
  readonly path: string;
  readonly size: number;
  /** Exactly `length` bytes in a new array. Throws RangeError past the end. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

/** Opens a regular file. Throws UserError when it cannot be opened. */
export function openFileSource(path: string): FileSource {
  const fd = openOrExplain(path);
  const stat = fstatSync(fd);
  if (!stat.isFile()) {
    closeSync(fd);
    throw new UserError("invalid-input", `${path} is not a file`, { hint: "Give a model file." });
  }
  const { size } = stat;
  return {
    path,
    size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) {
        throw new RangeError(`bytes ${offset} to ${offset + length} of ${size} in ${path}`);
      }
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const count = readSync(fd, bytes, at, length - at, offset + at);
        if (count === 0) throw new RangeError(`${path} became shorter while it was read`);
        at += count;
      }
      return bytes;
    },
    close: () => closeSync(fd),
  };
}

function openOrExplain(path: string): number {
  try {
    return openSync(path, "r");
  } catch (cause) {
    const absent = hostErrorCode(cause) === "ENOENT";
    throw new UserError(
      absent ? "invalid-input" : "denied",
      absent ? `there is no file ${path}` : `cannot read ${path}`,
      { hint: absent ? "Check the path." : "Check the permissions of the file.", cause },
    );
  }
}

/**
 * Path of a file that a model names beside itself. Throws UserError for absolute paths, for paths that
 * leave the model's folder and for links that lead out of it: a model from a stranger must not read
 * other files of this machine.
 */
export function pathInside(modelPath: string, location: string): string {
  const folder = dirname(resolve(modelPath));
  const wanted = resolve(folder, location);
  if (location === "" || isAbsolute(location) || leaves(folder, wanted)) throw outside(location);
  const real = realOrExplain(wanted);
  if (leaves(realpathSync(folder), real)) throw outside(location);
  return real;
}

function leaves(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way);
}

function outside(location: string): UserError {
  return new UserError(
    "invalid-input",
    `the model asks for a file outside its folder: ${location}`,
    {
      hint: "Put the data file beside the model, without links, and give it a relative path.",
    },
  );
}

function realOrExplain(path: string): string {
  try {
    return realpathSync(path);
  } catch (cause) {
    throw new UserError("invalid-input", `the model's data file ${path} cannot be found`, {
      hint: "Copy the data file to the model's folder; a model with external data has several files.",
      cause,
    });
  }
}
