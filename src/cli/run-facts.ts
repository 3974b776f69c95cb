// The file in which a measured command may say what only it knows (src/measure/run/facts.ts). It lies
// in a folder of its own that nobody else can write, and is gone afterwards.

import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reasonOf } from "../core/index.ts";
import type { Ending } from "../measure/run/meter.ts";

/** Environment variable with the path of the file that the command may write. */
const VARIABLE = "GODWIT_FACTS";

export interface FactsFile {
  /** Variables for the command's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** What the command said, once; a fault is a notice, never the run's. */
  read(onNotice: (text: string) => void): Promise<Pick<Ending, "extra" | "quality">>;
  /** Takes the place away unread. */
  remove(): void;
}

/** A place for the facts of one run; a machine without a writable temporary folder has none. */
export function createFactsFile(): FactsFile {
  let folder: string;
  try {
    removeLeftovers(tmpdir());
    folder = mkdtempSync(join(tmpdir(), PREFIX));
  } catch {
    return { env: {}, read: async () => ({}), remove() {} };
  }
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const path = join(folder, "facts.json");
  return {
    env: { [VARIABLE]: path },
    async read(onNotice) {
      try {
        const text = readShort(path);
        if (text === null) return {};
        const { parseFacts } = await import("../measure/run/facts.ts");
        return parseFacts(text);
      } catch (error) {
        onNotice(reasonOf(error));
        return {};
      } finally {
        remove();
      }
    },
    remove,
  };
}

const PREFIX = "godwit-facts-";

/** No run that is still measured after so long loses more than a note about its quality. */
const MAX_AGE_MS = 30 * 24 * 3600 * 1000;

/** Takes away what a godwit that was killed left behind long ago; what belongs to others stays. */
export function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(parent, name);
    try {
      if (statSync(folder).mtimeMs > Date.now() - MAX_AGE_MS) continue;
      rmSync(folder, { recursive: true });
    } catch {
      // Another user's, or gone meanwhile.
    }
  }
}

/** Longest file of facts; it is a handful of numbers. */
const MAX_BYTES = 64 * 1024;

/** The file's text; null when the command wrote none. */
function readShort(path: string): string | null {
  let fd: number;
  try {
    fd = openSync(path, "r");
  } catch {
    return null;
  }
  try {
    const bytes = Buffer.alloc(MAX_BYTES + 1);
    const length = readSync(fd, bytes);
    if (length > MAX_BYTES) throw new Error(`${VARIABLE}: more than ${MAX_BYTES} bytes`);
    return bytes.toString("utf8", 0, length);
  } finally {
    closeSync(fd);
  }
}
