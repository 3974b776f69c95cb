// Whether a process that was seen once is still there. Process ids are used again, so a process is
// known by its id and its start time. One that has ended is gone, also when nobody waits for it: the
// first process of many containers never does.

import { type Host, readTextIfPresent } from "../../core/index.ts";
import { openProcessTable } from "./process-table.ts";

/** When a process started, in a unit of the platform; null when it is gone or nobody tells. */
export async function processStart(host: Host, pid: number): Promise<string | null> {
  try {
    const table = await openProcessTable(host);
    const [row] = (await table?.rowsOf([pid])) ?? [];
    return row === undefined || row.ended === true ? null : `${await bootId(host)}${row.start}`;
  } catch {
    return null;
  }
}

/** Whether the process that had this id and start time is gone. False where nobody can tell. */
export async function isGone(
  host: Host,
  process: { readonly pid: number; readonly pidStart: string | null },
): Promise<boolean> {
  if (process.pidStart === null) return false;
  return (await processStart(host, process.pid)) !== process.pidStart;
}

/** Linux counts start times from boot: two boots can give one process id the same one. */
async function bootId(host: Host): Promise<string> {
  const text = await readTextIfPresent(host, "/proc/sys/kernel/random/boot_id").catch(() => null);
  return text === null ? "" : `${text.trim()}:`;
}
