// What Slurm gave to this job on this node, as its environment tells (sbatch(1), srun(1), OUTPUT
// ENVIRONMENT VARIABLES). Clusters that do not confine jobs by control groups state it here alone.

import type { Limit } from "./cgroup-limits.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Slurm writes memory in megabytes of 2^20 bytes (slurm.conf(5), DefMemPerNode). */
const MEGABYTE = 2 ** 20;

/** Limits of the job or step; none outside of Slurm. */
export function slurmLimits(env: Environment): readonly Limit[] {
  if (env["SLURM_JOB_ID"] === undefined) return [];
  const limits: Limit[] = [];
  const count = (name: string): number | null => {
    const text = env[name];
    if (text === undefined) return null;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 0) return value;
    limits.push({ kind: "unreadable", reason: `${name} is ${JSON.stringify(text)}, no number` });
    return null;
  };

  const threads = threadsOnNode(env, count);
  if (threads !== null) limits.push({ kind: "threads", ...threads });

  const perNode = count("SLURM_MEM_PER_NODE");
  const perCpu = count("SLURM_MEM_PER_CPU");
  // `--mem=0` is all that the node has.
  if (perNode !== null && perNode > 0) {
    const reason = `SLURM_MEM_PER_NODE is ${perNode} MB`;
    limits.push({ kind: "memory", value: perNode * MEGABYTE, reason });
  } else if (perCpu !== null && perCpu > 0 && threads !== null) {
    const reason = `SLURM_MEM_PER_CPU is ${perCpu} MB on ${threads.value} processors`;
    limits.push({ kind: "memory", value: perCpu * threads.value * MEGABYTE, reason });
  }
  return limits;
}

function threadsOnNode(
  env: Environment,
  count: (name: string) => number | null,
): { readonly value: number; readonly reason: string } | null {
  const onNode = count("SLURM_CPUS_ON_NODE");
  if (onNode !== null && onNode > 0) {
    return { value: onNode, reason: `SLURM_CPUS_ON_NODE is ${onNode}` };
  }
  const perTask = count("SLURM_CPUS_PER_TASK");
  const tasks = tasksOnNode(env, count);
  if (perTask === null || perTask === 0 || tasks === null) return null;
  const reason = `SLURM_CPUS_PER_TASK is ${perTask}, with ${tasks} tasks on this node`;
  return { value: perTask * tasks, reason };
}

function tasksOnNode(env: Environment, count: (name: string) => number | null): number | null {
  const perNode = count("SLURM_NTASKS_PER_NODE");
  if (perNode !== null && perNode > 0) return perNode;
  const list = env["SLURM_STEP_TASKS_PER_NODE"] ?? env["SLURM_TASKS_PER_NODE"];
  const node = count("SLURM_NODEID") ?? 0;
  const listed = list === undefined ? undefined : tasksPerNode(list)[node];
  if (listed !== undefined) return listed;
  // A job of several nodes without that list does not tell how its tasks are spread.
  return count("SLURM_JOB_NUM_NODES") === 1 ? count("SLURM_NTASKS") : null;
}

/** Tasks of each node from Slurm's short form: `2(x3),1` is 2, 2, 2 and 1. */
export function tasksPerNode(text: string): readonly number[] {
  return text.split(",").flatMap((part) => {
    const match = /^(\d+)(?:\(x(\d+)\))?$/.exec(part.trim());
    if (match === null) return [];
    // A cluster of over 100,000 nodes does not exist; a longer list is hostile.
    const times = Math.min(Number(match[2] ?? 1), 100_000);
    return new Array<number>(times).fill(Number(match[1]));
  });
}
