// CPU time and memory of the measured command with everything that it starts, by the best way that
// this host allows: its own control group; the process table with what was waited for; the process
// table alone. Each way says what it is, and what it may miss. See docs/methods/cpu-time.md.

import type { Host } from "../../core/index.ts";
import type { CpuGroup, CpuGroupResult } from "./execute-cgroup.ts";
import { openProcessTable, type ProcessTable } from "./process-table.ts";
import { createTreeCounter, type TreeCounter } from "./tree.ts";

/** What the command's tree has used so far; null where it cannot be told. */
interface SubjectUsage {
  readonly cpuSeconds: number | null;
  readonly rssBytes: number | null;
  /** Processes of the tree that are alive; absent where nobody tells. */
  readonly pids?: readonly number[];
}

/** Counts the CPU time of one command. */
export interface SubjectCounter {
  /** For people: the way in use, such as `cgroup v2 cpu.stat`. */
  readonly source: string;
  /** Why better ways were passed over. */
  readonly fallbacks: readonly string[];
  /** Steps in which the time is told, seconds; absent where they do not count. */
  readonly step?: number;
  /** The command has started as this process. */
  follow(pid: number): void;
  read(): Promise<SubjectUsage>;
  /** CPU seconds after the command was waited for. */
  finish(): Promise<number | null>;
}

/** What `createSubjectCounter` needs. */
export interface SubjectCounterOptions {
  readonly host: Host;
  readonly group: CpuGroupResult;
  /** CPU seconds of other children of this process that were waited for since the start. */
  readonly helperSeconds: () => number;
}

/** A counter by the best way there is. */
export async function createSubjectCounter(
  options: SubjectCounterOptions,
): Promise<SubjectCounter> {
  const { host, group } = options;
  const table = await openProcessTable(host).catch(() => null);
  if (group.status === "ready") return groupCounter(group.group, table);
  if (table === null) {
    return nothingCounted([group.reason, `no process table on ${host.platform}`]);
  }
  const before = await table.reapedByUs().catch(() => 0);
  const reapedByUs = async (): Promise<number> =>
    (await table.reapedByUs()) - before - options.helperSeconds();
  return tableCounter(table, { reapedByUs, reason: group.reason });
}

function groupCounter(group: CpuGroup, table: ProcessTable | null): SubjectCounter {
  return {
    source: group.source,
    fallbacks: [],
    follow() {},
    async read() {
      const pids = group.members();
      const rows = (await table?.rowsOf(pids).catch(() => null)) ?? null;
      const rssBytes = rows?.reduce((sum, row) => sum + row.rssBytes, 0) ?? null;
      return { cpuSeconds: group.cpuSeconds(), rssBytes, pids };
    },
    finish: async () => group.cpuSeconds(),
  };
}

/** Both tables tell time in hundredths of a second (USER_HZ of Linux is 100 for every program). */
const TICK_S = 0.01;

function tableCounter(
  table: ProcessTable,
  options: { readonly reapedByUs: () => Promise<number>; readonly reason: string },
): SubjectCounter {
  let tree: TreeCounter | null = null;
  // Processes known to be of others. A process never enters a tree it was not born into, so they
  // are not read again: on a host with many processes that is nearly all of the work.
  let strangers = new Set<number>();
  const read = async (): Promise<SubjectUsage> => {
    if (tree === null) return { cpuSeconds: 0, rssBytes: null, pids: [] };
    try {
      const pids = await table.pids();
      const rows = await table.rowsOf(pids.filter((pid) => !strangers.has(pid)));
      const totals = tree.update(rows, await options.reapedByUs());
      strangers = new Set(pids.filter((pid) => !tree?.has(pid)));
      return totals;
    } catch {
      return { cpuSeconds: null, rssBytes: null };
    }
  };
  const missed = table.countsReaped
    ? "what processes that were never waited for used between two samples is missed"
    : "what processes that ended between two samples used is missed";
  return {
    source: table.countsReaped ? `${table.source} with children waited for` : table.source,
    fallbacks: [options.reason, missed],
    step: TICK_S,
    follow(pid) {
      tree = createTreeCounter(pid);
    },
    read,
    finish: async () => (await read()).cpuSeconds,
  };
}

function nothingCounted(fallbacks: readonly string[]): SubjectCounter {
  return {
    source: "not counted",
    fallbacks,
    follow() {},
    read: async () => ({ cpuSeconds: null, rssBytes: null }),
    finish: async () => null,
  };
}

/**
 * The host, with the CPU time of the programs that it runs added up: they are children of this
 * process too and would be taken for the command's.
 */
export function countHelpers(host: Host): { readonly host: Host; helperSeconds(): number } {
  let running = 0;
  let before = 0;
  let seconds = 0;
  const reaped = async (): Promise<number> => {
    const text = await host.readText("/proc/self/stat").catch(() => "");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[13]) + Number(fields[14])) * TICK_S || 0;
  };
  const run: Host["run"] = async (command, args, deadline) => {
    // Programs that overlap are charged together, from the first start to the last end.
    if (running++ === 0) before = await reaped();
    try {
      return await host.run(command, args, deadline);
    } finally {
      if (--running === 0) seconds += Math.max(0, (await reaped()) - before);
    }
  };
  return {
    host: Object.assign(Object.create(host) as Host, { run }),
    helperSeconds: () => seconds,
  };
}
