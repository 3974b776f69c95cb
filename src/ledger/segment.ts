// A run's segment: one file of JSON lines that grows while the run is measured, so that a crash
// loses at most the line that was being written. `<ledger>/segments/<id>.ndjson`.
//
// Flush policy: each record is one `write(2)` in append mode, so once `append` returns, the record
// survives the death of every process; `close` also asks the disk (`fsync`). A power cut in between
// may lose what the kernel had not written yet, never what came before it.

import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { isCardId } from "../core/id.ts";
import { hostErrorCode, reasonOf } from "../core/index.ts";
import { ledgerFault, makeLedgerFolder } from "./folder.ts";

const EXTENSION = ".ndjson";

/** Why a record could not be kept: a full disk, a read-only folder. Material for a notice. */
export interface SegmentFault {
  readonly path: string;
  /** As the system calls it: ENOSPC, EACCES, EROFS ... */
  readonly code: string | null;
  readonly reason: string;
}

/** The writing end. No method throws: the run being measured matters more than its record. */
export interface SegmentWriter {
  readonly path: string;
  /** Keeps a record, or says why not. A later record may succeed again. */
  append(record: object): SegmentFault | null;
  /** Flushes to the disk and closes; appending afterwards is a fault. */
  close(): SegmentFault | null;
}

/** A run's segment in a ledger's folder. */
export function segmentPath(folder: string, id: string): string {
  if (!isCardId(id)) throw new RangeError(`not a card's id: ${JSON.stringify(id)}`);
  return join(folder, "segments", `${id}${EXTENSION}`);
}

/**
 * Starts the segment of a new run, making the ledger's folder when needed. Never throws for the
 * system's faults: when the file cannot be made, every `append` returns the reason.
 */
export function createSegment(folder: string, id: string): SegmentWriter {
  const path = segmentPath(folder, id);
  try {
    makeLedgerFolder(folder);
    mkdirSync(join(folder, "segments"), { recursive: true });
    return openWriter(path, openSync(path, "ax"));
  } catch (error) {
    const fault = faultOf(path, error);
    return { path, append: () => fault, close: () => null };
  }
}

function openWriter(path: string, descriptor: number): SegmentWriter {
  let length = 0;
  let open = true;
  const attempt = (action: () => void): SegmentFault | null => {
    try {
      action();
      return null;
    } catch (error) {
      return faultOf(path, error);
    }
  };
  const write = (bytes: Uint8Array): void => {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(descriptor, bytes, written);
      length += bytes.length;
    } catch (error) {
      // A disk that fills up takes the first half of a line: take it back, so that the next
      // record does not continue it.
      if (written > 0) ftruncateSync(descriptor, length);
      throw error;
    }
  };
  return {
    path,
    append: (record) =>
      open
        ? attempt(() => write(Buffer.from(`${JSON.stringify(record)}\n`)))
        : { path, code: null, reason: `${path} is closed` },
    close() {
      if (!open) return null;
      open = false;
      const fault = attempt(() => fsyncSync(descriptor));
      return attempt(() => closeSync(descriptor)) ?? fault;
    },
  };
}

function faultOf(path: string, error: unknown): SegmentFault {
  return { path, code: hostErrorCode(error), reason: reasonOf(error) };
}

/** Ids of the segments in a ledger's folder, oldest first; none when there is no folder. */
export async function listSegments(folder: string): Promise<readonly string[]> {
  try {
    const names = await readdir(join(folder, "segments"));
    return names
      .filter((name) => name.endsWith(EXTENSION))
      .map((name) => name.slice(0, -EXTENSION.length))
      .filter(isCardId)
      .sort();
  } catch (error) {
    if (hostErrorCode(error) === "ENOENT") return [];
    throw ledgerFault(folder, error);
  }
}

/** Removes a run's segment; it may be gone already. */
export function removeSegment(folder: string, id: string): void {
  const path = segmentPath(folder, id);
  try {
    rmSync(path, { force: true });
  } catch (error) {
    throw ledgerFault(path, error);
  }
}

/** Moves all segments from one ledger's folder to another one of the same disk. */
export async function moveSegments(from: string, to: string): Promise<void> {
  const ids = await listSegments(from);
  if (ids.length === 0) return;
  try {
    makeLedgerFolder(to);
    mkdirSync(join(to, "segments"), { recursive: true });
    for (const id of ids) renameSync(segmentPath(from, id), segmentPath(to, id));
  } catch (error) {
    throw ledgerFault(to, error);
  }
}
