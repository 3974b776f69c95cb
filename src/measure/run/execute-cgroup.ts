// A control group of its own for the measured command. The kernel then adds up the CPU time of all
// that the command starts, reaped or not, in nanoseconds. Only groups that observe are made: where
// a new group would change how the command is scheduled, or hide a limit that programs look up
// (memory.max, cpu.max), there is none, and `cpu-time.ts` counts another way.
// Interfaces: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/cpuacct.rst of Linux.

import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { reasonOf } from "../../core/index.ts";

/** A control group that counts the CPU time of the processes born in it. */
export interface CpuGroup {
  /** For people: which interface of the kernel answers. */
  readonly source: string;
  /** Runs `start` with this process inside the group, so that what it forks is born there. */
  enclose<T>(start: () => T): T;
  /** CPU seconds of everything that ever ran in the group; null when it cannot be read. */
  cpuSeconds(): number | null;
  /** Processes alive in the group. */
  members(): readonly number[];
  /** Puts processes that outlived the command back where they came from and removes the group. */
  close(): void;
}

export type CpuGroupResult =
  | { readonly status: "ready"; readonly group: CpuGroup }
  | { readonly status: "absent"; readonly reason: string };

interface Hierarchy {
  readonly version: 1 | 2;
  /** Folder of the group that this process is in. */
  readonly folder: string;
}

/** Makes the group, or says why there is none. Never throws. */
export function createCpuGroup(): CpuGroupResult {
  const reasons: string[] = [];
  for (const hierarchy of findHierarchies()) {
    const refusal = refusalOf(hierarchy);
    if (refusal !== null) {
      reasons.push(refusal);
      continue;
    }
    try {
      return { status: "ready", group: openGroup(hierarchy) };
    } catch (error) {
      reasons.push(`cgroup v${hierarchy.version}: ${reasonOf(error)}`);
    }
  }
  return { status: "absent", reason: reasons.join("; ") || "no control groups on this host" };
}

function findHierarchies(): readonly Hierarchy[] {
  try {
    const mounts = readFileSync("/proc/self/mountinfo", "utf8");
    return hierarchiesOf(mounts, readFileSync("/proc/self/cgroup", "utf8"));
  } catch {
    return [];
  }
}

/**
 * Hierarchies that count CPU time, version 2 first, from the texts of /proc/self/mountinfo and
 * /proc/self/cgroup. Version 1 counts only where `cpuacct` is mounted without `cpu`: a group of
 * `cpu` would be scheduled as one against its neighbours.
 */
export function hierarchiesOf(mountinfo: string, membership: string): readonly Hierarchy[] {
  const paths = membership.split("\n").map((line) => /^(\d+):([^:]*):(.*)$/.exec(line));
  const pathOf = (controllers: string): string | undefined =>
    paths.find((match) => match?.[2] === controllers)?.[3];
  const found: Hierarchy[] = [];
  for (const line of mountinfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root, mountPoint] = before.split(" ");
    const [type, , superOptions = ""] = after.split(" ");
    if (root === undefined || mountPoint === undefined) continue;
    const options = superOptions.split(",");
    const accounting = options.includes("cpuacct") && !options.includes("cpu");
    if (type !== "cgroup2" && !(type === "cgroup" && accounting)) continue;
    const path = pathOf(type === "cgroup2" ? "" : "cpuacct");
    if (path === undefined) continue;
    const within = root === "/" ? path : path.startsWith(root) ? path.slice(root.length) : null;
    // A path outside this process's namespace is shown with dots; its folder is not mounted here.
    if (within === null || within.includes("..")) continue;
    found.push({ version: type === "cgroup2" ? 2 : 1, folder: join(mountPoint, within) });
  }
  return found.sort((a, b) => b.version - a.version);
}

/** Why a group below this one would change what the command sees or gets; null when it would not. */
function refusalOf({ version, folder }: Hierarchy): string | null {
  if (version === 1) return null;
  if (/\bcpu\b/.test(textOf(join(folder, "cgroup.subtree_control")))) {
    return "cgroup v2: a group here would be scheduled as one";
  }
  for (const limit of ["memory.max", "cpu.max"]) {
    const text = textOf(join(folder, limit));
    if (text !== "" && !text.startsWith("max")) return `cgroup v2: a group would hide ${limit}`;
  }
  return null;
}

function openGroup({ version, folder }: Hierarchy): CpuGroup {
  removeLeftovers(folder);
  const group = join(folder, `godwit-${process.pid}`);
  mkdirSync(group);
  const move = (pid: number, to: string): void =>
    writeFileSync(join(to, "cgroup.procs"), String(pid));
  const usageFile = join(group, version === 2 ? "cpu.stat" : "cpuacct.usage");
  const membersFile = join(group, "cgroup.procs");
  const usage = (): number | null => {
    const text = textOf(usageFile);
    const count = version === 2 ? /^usage_usec (\d+)/m.exec(text)?.[1] : text.trim() || undefined;
    return count === undefined ? null : Number(count) / (version === 2 ? 1e6 : 1e9);
  };
  const members = (): number[] => textOf(membersFile).split("\n").filter(Boolean).map(Number);
  // CPU seconds that this process itself spent inside while it forked.
  let own = 0;
  try {
    // Entering once beforehand: a host that forbids it must fail here, not when the command starts.
    move(process.pid, group);
    move(process.pid, folder);
    own = usage() ?? 0;
  } catch (error) {
    rmdirQuietly(group);
    throw error;
  }
  return {
    source: version === 2 ? "cgroup v2 cpu.stat" : "cgroup v1 cpuacct.usage",
    enclose(start) {
      const before = process.cpuUsage();
      move(process.pid, group);
      try {
        return start();
      } finally {
        move(process.pid, folder);
        const { user, system } = process.cpuUsage(before);
        own += (user + system) / 1e6;
      }
    },
    cpuSeconds() {
      const seconds = usage();
      return seconds === null ? null : Math.max(0, seconds - own);
    },
    members,
    close() {
      for (const pid of members()) {
        try {
          move(pid, folder);
        } catch {
          // It ended meanwhile.
        }
      }
      rmdirQuietly(group);
    },
  };
}

/** Removes empty groups of runs that were killed; the kernel refuses those with processes. */
function removeLeftovers(folder: string): void {
  for (const name of readdirSync(folder)) {
    const pid = /^godwit-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmdirQuietly(join(folder, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return pid !== process.pid;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function rmdirQuietly(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Still populated, or gone: the next run looks again.
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
