// Loading a user's module that the command line was given: a program of theirs, run on their word.

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { reasonOf, UserError } from "../core/index.ts";
import type { CliContext } from "./context.ts";

/** Loads modules by paths that are relative to where the command was given. */
export const importModule =
  ({ cwd }: CliContext) =>
  async (path: string): Promise<Readonly<Record<string, unknown>>> => {
    try {
      return await import(pathToFileURL(resolve(cwd, path)).href);
    } catch (cause) {
      throw new UserError("invalid-input", `${path} cannot be loaded: ${reasonOf(cause)}`, {
        hint: "It must be a module that Node can run, with `export async function* samples()`.",
        cause,
      });
    }
  };
