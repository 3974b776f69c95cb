// The folder of a search: what it was asked, what it has computed, what it found. A search that was
// interrupted goes on from it.

import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createFolderStore } from "../core/host/cache-folder.ts";
import { refusal, writeFileAtomic } from "../core/host/write-file-atomic.ts";
import { UserError } from "../core/index.ts";
import type { Store } from "../models/compress/index.ts";
import type { SlimOptions } from "./slim-options.ts";

const ASKED_SCHEMA = "godwit.slim-search/1";

/** What a search was asked: its model and options, and where. */
export interface Asked {
  readonly schema: typeof ASKED_SCHEMA;
  readonly model: string;
  readonly options: SlimOptions;
  readonly cwd: string;
}

export interface SearchFolder {
  readonly path: string;
  readonly store: Store;
  /** Writes a file of the folder. */
  keep(name: string, value: unknown): Promise<string>;
}

/** Makes or opens the folder. */
export async function openSearchFolder(path: string): Promise<SearchFolder> {
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw refusal(path, error);
  });
  return {
    path,
    store: createFolderStore(join(path, "computed")),
    async keep(name, value) {
      const file = join(path, name);
      await writeFileAtomic(file, `${JSON.stringify(value, null, 2)}\n`);
      return file;
    },
  };
}

export const askedOf = (of: Omit<Asked, "schema">): Asked => ({ schema: ASKED_SCHEMA, ...of });

/** What the search of a folder was asked. Throws UserError for other folders. */
export async function readAsked(path: string): Promise<Asked> {
  const asked = (await readSearchFile(path, "asked.json")) as Partial<Asked>;
  const isAsked =
    asked.schema === ASKED_SCHEMA &&
    typeof asked.cwd === "string" &&
    typeof asked.model === "string" &&
    typeof asked.options === "object";
  if (isAsked) return asked as Asked;
  throw notASearch(path);
}

/** A JSON file of the folder. Throws UserError where there is none. */
export async function readSearchFile(path: string, name: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(join(path, name), "utf8"));
  } catch (cause) {
    throw notASearch(path, cause);
  }
}

function notASearch(path: string, cause?: unknown): UserError {
  return new UserError("invalid-input", `${path} is no folder of a search that got so far`, {
    hint: "Name the folder that godwit slim made: by default that of the model, ending in .slim.",
    cause,
  });
}
