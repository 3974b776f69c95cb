// The process table of the host: /proc on Linux, `ps` on other Unix systems.
// Linux: proc_pid_stat(5). `ps` tells the time of living processes alone, not of those waited for.

import { type Host, hostErrorCode } from "../../core/index.ts";
import type { ProcessRow } from "./tree.ts";

/** Clock ticks a second in /proc; USER_HZ is 100 on every architecture that Node runs on. */
const TICKS_PER_SECOND = 100;

const PS_DEADLINE_MS = 5000;

/** Reads snapshots of the process table. */
export interface ProcessTable {
  /** For people: where the rows come from. */
  readonly source: string;
  /** Whether the time of children that were waited for is told. */
  readonly countsReaped: boolean;
  /** All processes there are. */
  pids(): Promise<readonly number[]>;
  /** Rows of these processes; those that ended meanwhile are left out. */
  rowsOf(pids: readonly number[]): Promise<readonly ProcessRow[]>;
  /** CPU seconds of this process's own children that it has waited for. */
  reapedByUs(): Promise<number>;
}

/** The table of this host; null where there is none that can be read (Windows). */
export async function openProcessTable(host: Host): Promise<ProcessTable | null> {
  if (host.platform === "win32") return null;
  if (host.platform !== "linux") return psTable(host);
  const pageBytes = await pageSize(host);
  return pageBytes === null ? null : procTable(host, pageBytes);
}

function procTable(host: Host, pageBytes: number): ProcessTable {
  const read = async (pid: number | "self"): Promise<ProcessRow | null> => {
    try {
      return parseStat(await host.readText(`/proc/${pid}/stat`), pageBytes);
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  };
  return {
    source: "/proc/PID/stat",
    countsReaped: true,
    pids: async () => (await host.list("/proc")).filter((name) => /^\d+$/.test(name)).map(Number),
    rowsOf: async (pids) => (await Promise.all(pids.map(read))).filter((row) => row !== null),
    reapedByUs: async () => (await read("self"))?.reaped ?? 0,
  };
}

/** A process that ended while it was read shows as missing (ENOENT) or as ESRCH. */
const isGone = (error: unknown): boolean =>
  hostErrorCode(error) === "ENOENT" || hostErrorCode(error) === "ESRCH";

/** One line of /proc/PID/stat; null when it is not one. */
export function parseStat(text: string, pageBytes: number): ProcessRow | null {
  // The name is in parentheses and may itself hold spaces and parentheses.
  const close = text.lastIndexOf(")");
  const pid = Number.parseInt(text, 10);
  const fields = text.slice(close + 2).split(" ");
  // Numbers of the manual page minus 3: ppid 4, utime 14 to cstime 17, starttime 22, rss 24.
  const at = (field: number): number => Number(fields[field - 3]);
  const row: ProcessRow = {
    pid,
    parent: at(4),
    start: fields[22 - 3] ?? "",
    cpu: (at(14) + at(15)) / TICKS_PER_SECOND,
    reaped: (at(16) + at(17)) / TICKS_PER_SECOND,
    rssBytes: at(24) * pageBytes,
  };
  if (close <= 0 || !Number.isFinite(row.cpu + row.reaped + row.rssBytes)) return null;
  // Z: waits for its parent to take notice; X: is just being taken away.
  return fields[0] === "Z" || fields[0] === "X" ? { ...row, ended: true } : row;
}

/** Bytes of a page, from the two ways in which the kernel states this process's memory. */
async function pageSize(host: Host): Promise<number | null> {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(await host.readText("/proc/self/status"))?.[1];
    const row = parseStat(await host.readText("/proc/self/stat"), 1);
    if (kilobytes === undefined || row === null || row.rssBytes === 0) return null;
    // Both move between the reads; pages are powers of two, so the nearest one is meant.
    return 2 ** Math.round(Math.log2((Number(kilobytes) * 1024) / row.rssBytes));
  } catch {
    return null;
  }
}

function psTable(host: Host): ProcessTable {
  let rows: readonly ProcessRow[] = [];
  return {
    source: "ps",
    countsReaped: false,
    async pids() {
      const columns = "pid=,ppid=,time=,rss=,lstart=";
      const answer = await host.run("ps", ["-axo", columns], { timeout: PS_DEADLINE_MS });
      rows = answer.stdout.split("\n").flatMap((line) => parsePs(line) ?? []);
      return rows.map(({ pid }) => pid);
    },
    // One call of `ps` answers for all; its rows are those of the last `pids`.
    async rowsOf(pids) {
      const wanted = new Set(pids);
      return rows.filter(({ pid }) => wanted.has(pid));
    },
    reapedByUs: async () => 0,
  };
}

/** One line of `ps -o pid=,ppid=,time=,rss=,lstart=`; null when it is not one. */
export function parsePs(line: string): ProcessRow | null {
  const match = /^\s*(\d+)\s+(\d+)\s+(?:(\d+)-)?([\d:.]+)\s+(\d+)\s+(.+?)\s*$/.exec(line);
  if (match === null) return null;
  const [, pid, parent, days = "0", clock = "", kilobytes, start = ""] = match;
  const seconds = clock.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return {
    pid: Number(pid),
    parent: Number(parent),
    start,
    cpu: Number(days) * 86_400 + seconds,
    reaped: 0,
    rssBytes: Number(kilobytes) * 1024,
  };
}
