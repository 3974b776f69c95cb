// Whose is a process that the NVIDIA driver names? It numbers processes as the host does. In a
// container with its own numbering the same number may be another process, and newer drivers mix
// both numberings (Project-HAMi/HAMi-core issue 112). So a number is believed where it cannot mean
// anything else, or where the process behind it has the driver's device mapped; else nobody knows.

import { type Host, readTextIfPresent } from "../../core/index.ts";

export type GpuOwner = "subject" | "other" | "unknown";

/** Tells the owners of processes by one tick after another. */
export interface GpuOwners {
  /** Owners of the processes `named` at `t` seconds, when those of the subject are `own`. */
  tell(
    named: Iterable<number>,
    own: readonly number[],
    t: number,
  ): Promise<ReadonlyMap<number, GpuOwner>>;
}

/** Seconds for which a process that has ended may still be named: the longest sampling period and a margin. */
const REMEMBERED = 2;

export function createGpuOwners(host: Host): GpuOwners {
  const lastSeen = new Map<number, number>();
  let told = new Map<number, GpuOwner>();
  let before = 0;
  let numbering: Promise<Numbering> | undefined;

  return {
    async tell(named, own, t) {
      numbering ??= numberingOf(host);
      const { isCommon, depth } = await numbering;
      // A process may end between two ticks and be named after that.
      const oldest = Math.min(before, t - REMEMBERED);
      for (const [pid, seen] of lastSeen) if (seen < oldest) lastSeen.delete(pid);
      for (const pid of await asListed(host, own, depth)) lastSeen.set(pid, t);
      before = t;
      const now = new Map<number, GpuOwner>();
      for (const pid of named) {
        const known = told.get(pid);
        now.set(
          pid,
          known === undefined || known === "unknown"
            ? await ownerOf(host, pid, { isOwn: lastSeen.has(pid), isCommon })
            : known,
        );
      }
      told = now;
      return now;
    },
  };
}

async function ownerOf(
  host: Host,
  pid: number,
  { isOwn, isCommon }: { readonly isOwn: boolean; readonly isCommon: boolean },
): Promise<GpuOwner> {
  const owner = isOwn ? "subject" : "other";
  if (isCommon && isOwn) return owner;
  if (host.platform !== "linux") return owner;
  const file = isCommon ? "stat" : "maps";
  const text = await host.readText(`/proc/${pid}/${file}`).catch(() => null);
  if (text === null) return "unknown";
  return isCommon || text.includes("/dev/nvidia") ? owner : "unknown";
}

interface Numbering {
  /** Whether the driver and /proc number processes alike beyond doubt. */
  readonly isCommon: boolean;
  /** How many numberings /proc shows of this process: above one, /proc is of an outer one. */
  readonly depth: number;
}

/**
 * The kernel's own threads are seen in the host's numbering alone, where kthreadd is always
 * process 2 (Linux, init/main.c). Elsewhere than on Linux there is one numbering.
 */
async function numberingOf(host: Host): Promise<Numbering> {
  if (host.platform !== "linux") return { isCommon: true, depth: 1 };
  const second = await readTextIfPresent(host, "/proc/2/comm").catch(() => null);
  const depth = (await numbersOf(host, "self")).length;
  return { isCommon: second?.trim() === "kthreadd" && depth <= 1, depth };
}

/** A process's numbers from the outermost numbering that /proc knows to its own (proc_pid_status(5)). */
async function numbersOf(host: Host, pid: string): Promise<readonly number[]> {
  const text = await host.readText(`/proc/${pid}/status`).catch(() => "");
  const numbers = /^NSpid:\s+(.+)$/m.exec(text)?.[1]?.trim().split(/\s+/) ?? [];
  return numbers.map(Number);
}

/** Processes known by this process's numbering, by that of /proc. */
async function asListed(
  host: Host,
  pids: readonly number[],
  depth: number,
): Promise<readonly number[]> {
  if (depth <= 1 || pids.length === 0) return pids;
  const wanted = new Set(pids);
  const listed: number[] = [];
  for (const name of await host.list("/proc").catch(() => [])) {
    if (!/^\d+$/.test(name)) continue;
    const numbers = await numbersOf(host, name);
    const inner = numbers[depth - 1];
    if (numbers.length >= depth && inner !== undefined && wanted.has(inner)) {
      listed.push(Number(name));
    }
  }
  return listed;
}
