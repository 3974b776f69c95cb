// The file that a long work writes at its end: looked at before it, and never one that is read.

import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { checkWritable } from "../core/host/write-file-atomic.ts";
import { reasonOf, UserError } from "../core/index.ts";
import type { CliContext } from "./context.ts";

/**
 * The path of a file to write. Throws UserError, as wrong usage of the option, where it cannot be
 * written, or is one of the files that are read: a result is judged against what it came from.
 */
export async function outputFile(
  { cwd }: Pick<CliContext, "cwd">,
  file: string,
  read: readonly string[],
  option = "--out",
): Promise<string> {
  const path = resolve(cwd, file);
  await checkWritable(path).catch((error: unknown) => {
    const hint = error instanceof UserError ? error.hint : "Name another file.";
    throw new UserError("usage", `${option}: ${reasonOf(error)}`, { hint, cause: error });
  });
  const places = await Promise.all([path, ...read].map((one) => realpath(one).catch(() => one)));
  if (places.slice(1).includes(places[0] ?? path)) {
    throw new UserError("usage", `${option}: ${file} is the model that is read`, {
      hint: "Name another file: the original is needed to judge what comes of it.",
    });
  }
  return path;
}
