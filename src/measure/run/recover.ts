// Runs that never ended: their segments are there, the process that wrote them is not. Each becomes
// a card marked `interrupted`, made from what had been written; a torn last line is passed over.

import type { Card } from "../../core/card.ts";
import { type Host, reasonOf } from "../../core/index.ts";
import { type Ledger, listSegments, readRecords, segmentPath } from "../../ledger/index.ts";
import { assemble } from "./assemble.ts";
import { identifyMachine } from "./identity.ts";
import { createJournal } from "./journal.ts";
import { isGone } from "./liveness.ts";
import { parseRecord } from "./parse-record.ts";
import type { SegmentRecord, StartRecord } from "./record.ts";

export interface Recovery {
  readonly recovered: readonly Card[];
  /** Segments that could not be read back, and why. */
  readonly lost: readonly { readonly id: string; readonly reason: string }[];
}

/** Puts the cards of interrupted runs into the ledger. Runs that still go on are left alone. */
export async function recoverRuns(host: Host, ledger: Ledger): Promise<Recovery> {
  const recovered: Card[] = [];
  const lost: { id: string; reason: string }[] = [];
  for (const id of await listSegments(ledger.folder)) {
    if (await ledger.has(id)) continue;
    try {
      const card = await recoverSegment(host, segmentPath(ledger.folder, id));
      if (card === null) continue;
      await ledger.put(card);
      recovered.push(card);
    } catch (error) {
      lost.push({ id, reason: reasonOf(error) });
    }
  }
  return { recovered, lost };
}

/**
 * Seconds without a word after which a run of another machine that shares the ledger is taken for gone: its
 * processes cannot be looked at from here.
 */
const SILENCE_S = 3600;

/** The card of a segment whose writer is gone; null while it is still being written. */
async function recoverSegment(host: Host, path: string): Promise<Card | null> {
  const { records, damaged } = await readSegmentRecords(path);
  const start = records.find((record) => record.type === "start");
  const isEnded = records.some((record) => record.type === "end");
  const t = records.findLast((record) => record.type === "tick")?.t ?? 0;
  if (start !== undefined && !isEnded && !(await isOver(host, start, t))) return null;
  const text = `${damaged} lines of the run's records could not be read and were passed over`;
  return assemble(damaged === 0 ? records : [...records, { type: "notice", t, text }]);
}

/** Whether the writer is gone, of a run whose last sample was taken `t` seconds after its start. */
async function isOver(host: Host, start: StartRecord, t: number): Promise<boolean> {
  if (!(await isGone(host, start))) return false;
  if ((await identifyMachine(host)).id === start.machine.id) return true;
  return host.wall() / 1000 - (Date.parse(start.startedAt) / 1000 + t) > SILENCE_S;
}

async function readSegmentRecords(
  path: string,
): Promise<{ readonly records: readonly SegmentRecord[]; readonly damaged: number }> {
  const journal = createJournal();
  let damaged = 0;
  const lines = readRecords(path, ({ kind }) => {
    // A torn last line is how a crash ends a file; nothing else was lost with it.
    if (kind === "malformed") damaged += 1;
  });
  for await (const line of lines) {
    const record = parseRecord(line);
    if (record === null) damaged += 1;
    else journal.append(record);
  }
  return { records: journal.records(), damaged };
}
