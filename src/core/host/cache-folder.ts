// A folder of answers kept between runs, by the XDG Base Directory Specification: one file a key, written
// in one step, its name a hash so that a key can hold any character.

import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { hostErrorCode } from "./host.ts";
import { writeFileAtomic } from "./write-file-atomic.ts";

/** Where this user's programs keep what can be fetched again. */
export const cacheFolder = (env: Readonly<Record<string, string | undefined>>): string =>
  join(env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "godwit");

/** A store of texts in a folder; the folder is made when something is first kept. */
export function createFolderStore(folder: string) {
  const fileOf = (key: string): string =>
    join(folder, `${createHash("sha256").update(key).digest("hex")}.json`);
  return {
    async read(key: string): Promise<string | null> {
      try {
        return await readFile(fileOf(key), "utf8");
      } catch (error) {
        if (hostErrorCode(error) === "ENOENT") return null;
        throw error;
      }
    },
    async write(key: string, text: string): Promise<void> {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFileAtomic(fileOf(key), text);
    },
  };
}
