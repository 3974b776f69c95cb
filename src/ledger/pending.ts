// Cards that wait for a server that could not be reached: one file each, `<folder>/pending/ID.json`,
// whole or absent. They are brought in when the ledger is next opened; a card that was kept already
// is replaced by itself, so that bringing it in twice changes nothing.

import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Card } from "../core/card.ts";
import { isCardId } from "../core/id.ts";
import { hostErrorCode, reasonOf, UserError } from "../core/index.ts";
import { ledgerFault, makeLedgerFolder } from "./folder.ts";
import type { Ledger } from "./ledger.ts";

const EXTENSION = ".json";

const pendingFolder = (folder: string): string => join(folder, "pending");

/** Lets a card wait; on the disk once returned. Throws UserError when it cannot be written. */
export function keepPending(folder: string, card: Card): void {
  if (!isCardId(card.id)) throw new RangeError(`not a card's id: ${JSON.stringify(card.id)}`);
  const path = join(pendingFolder(folder), `${card.id}${EXTENSION}`);
  const unfinished = `${path}.${process.pid}`;
  try {
    makeLedgerFolder(folder);
    mkdirSync(pendingFolder(folder), { recursive: true });
    writeDurably(unfinished, JSON.stringify(card));
    renameSync(unfinished, path);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw ledgerFault(path, error);
  }
}

function writeDurably(path: string, text: string): void {
  const descriptor = openSync(path, "w");
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length; ) {
      written += writeSync(descriptor, bytes, written);
    }
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Ids of the cards that wait in a folder, oldest first. */
export async function listPending(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(pendingFolder(folder));
    return names
      .filter((name) => name.endsWith(EXTENSION))
      .map((name) => name.slice(0, -EXTENSION.length))
      .filter(isCardId)
      .sort();
  } catch (error) {
    if (hostErrorCode(error) === "ENOENT") return [];
    throw ledgerFault(pendingFolder(folder), error);
  }
}

/**
 * Puts the cards that wait into the ledger; each file goes once its card is kept. A card that the
 * ledger refuses stays and is told of. Throws when the connection is lost; what is left still waits.
 */
export async function replayPending(
  folder: string,
  ledger: Pick<Ledger, "put" | "place">,
  onNotice: (text: string) => void,
): Promise<void> {
  let kept = 0;
  for (const id of await listPending(folder)) {
    const path = join(pendingFolder(folder), `${id}${EXTENSION}`);
    try {
      await ledger.put(JSON.parse(readFileSync(path, "utf8")));
      rmSync(path, { force: true });
      kept += 1;
    } catch (error) {
      // Another process brought it in meanwhile.
      if (hostErrorCode(error) === "ENOENT") continue;
      if (error instanceof UserError && error.code === "network") throw error;
      onNotice(
        `the run in ${path} waits and cannot be kept in ${ledger.place}: ${reasonOf(error)}`,
      );
    }
  }
  if (kept > 0) {
    onNotice(`${kept} ${kept === 1 ? "run" : "runs"} that waited here went to ${ledger.place}`);
  }
}
