// Whether a program can be found as execvp(3) looks for it: by its path, or in the folders of PATH.

import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/** True where a program of that name or path could be started from this folder. */
export function canFind(
  program: string,
  { cwd, path }: { readonly cwd: string; readonly path: string | undefined },
): boolean {
  if (program.includes("/")) return isProgram(resolve(cwd, program));
  // An empty entry of PATH is the folder of the command (POSIX 8.3).
  return (path ?? "")
    .split(delimiter)
    .some((folder) => isProgram(join(resolve(cwd, folder), program)));
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
