// How much of the machine the measured command may use. Its share of the machine's idle power and
// memory follows from this, so what binds is always said.

import { parseCpuList } from "../../core/cpu-list.ts";
import type { Host } from "../../core/index.ts";
import { readTextIfPresent } from "../../core/index.ts";
import { cgroupLimits, type Limit } from "./cgroup-limits.ts";
import { slurmLimits } from "./slurm-limits.ts";

export interface SubjectLimits {
  /** Logical processors; a fraction under a quota, at most the machine's. */
  readonly threads: number;
  /** Bytes of memory, at most the machine's. */
  readonly memoryBytes: number;
  /** The limit that binds for each of the two, and limits that could not be read. */
  readonly reasons: readonly string[];
}

/** The machine as a whole. */
export interface MachineSize {
  readonly threads: number;
  readonly memoryBytes: number;
}

/** What a child of this process may use of a machine. Never rejects. */
export async function subjectLimits(host: Host, machine: MachineSize): Promise<SubjectLimits> {
  const limits = [
    ...(host.platform === "linux" ? await cgroupLimits(host) : []),
    ...(await affinity(host)),
    ...slurmLimits(host.env),
  ];
  const threads = tightest(limits, "threads", machine.threads);
  const memory = tightest(limits, "memory", machine.memoryBytes);
  return {
    threads: threads.value,
    memoryBytes: memory.value,
    reasons: [
      ...threads.reasons,
      ...memory.reasons,
      ...limits.flatMap((limit) => (limit.kind === "unreadable" ? [limit.reason] : [])),
    ],
  };
}

/** Processors that the scheduler may choose: `taskset`, a batch system, a container's cpuset. */
async function affinity(host: Host): Promise<readonly Limit[]> {
  const status = await readTextIfPresent(host, "/proc/self/status").catch(() => null);
  const text = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status ?? "")?.[1];
  const cpus = text === undefined ? null : parseCpuList(text);
  if (cpus === null || cpus.length === 0) return [];
  const reason = `the CPU affinity allows the processors ${text}`;
  return [{ kind: "threads", value: cpus.length, reason }];
}

function tightest(
  limits: readonly Limit[],
  kind: "threads" | "memory",
  whole: number,
): { readonly value: number; readonly reasons: readonly string[] } {
  let value = whole;
  let reasons: readonly string[] = [];
  for (const limit of limits) {
    if (limit.kind !== kind || limit.value >= value) continue;
    value = limit.value;
    reasons = [limit.reason];
  }
  return { value, reasons };
}
