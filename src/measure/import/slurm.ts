// Slurm's accounting as cards, one a job. Time, CPU time and status are Slurm's. Energy is Green Algorithms
// for HPC's estimate, and only when the cluster's watts are given: no figure is made up for a CPU or a
// GPU that nobody named.

import type { Card, Signal } from "../../core/card.ts";
import { exact, type Figure, type Watts, withError } from "../../core/index.ts";
import { emissionsAt, intensityOf } from "../carbon/index.ts";
import { costOfSlurmJobs } from "../methods/ga4hpc.ts";
import { parseSacct, type SlurmJob } from "../methods/sacct.ts";
import { importedCard } from "./imported-card.ts";

/**
 * Relative standard deviation of energy from rated power. Such estimates were 19 to 54 % off a wall
 * meter on average (static TDP, 318 runs, data of arXiv 2509.22092).
 */
const ERROR = 0.5;

export interface SlurmOptions {
  /** Watts of one core; without it there is no energy. */
  readonly coreTdp: Watts | null;
  readonly gpuTdp: Watts | null;
  readonly pue: Figure<"1">;
  readonly signal: Signal;
  /** Minutes that the cluster's clock is ahead of UTC. */
  readonly offset: number;
  readonly version: string;
}

export interface SlurmImport {
  readonly cards: readonly Card[];
  /** Jobs that have no end yet, and those whose times are not listed. */
  readonly skipped: readonly string[];
}

/** Finished jobs as cards. */
export function importSacct(text: string, options: SlurmOptions): SlurmImport {
  const jobs = parseSacct(text);
  const cards = jobs.flatMap((job) => {
    const card = cardOf(job, options);
    return card === null ? [] : [card];
  });
  const known = new Set(cards.map(({ subject }) => subject.tags["slurm_job"]));
  return { cards, skipped: jobs.filter(({ id }) => !known.has(id)).map(({ id }) => id) };
}

const STATUS: Readonly<Record<string, Card["status"]>> = {
  COMPLETED: "complete",
  FAILED: "failed",
  TIMEOUT: "failed",
  OUT_OF_MEMORY: "failed",
  NODE_FAIL: "failed",
  BOOT_FAIL: "failed",
  DEADLINE: "failed",
  CANCELLED: "interrupted",
  PREEMPTED: "interrupted",
};

function cardOf(job: SlurmJob, options: SlurmOptions): Card | null {
  const status = STATUS[job.state];
  const begin = beginOf(job, options.offset);
  if (status === undefined || begin === null) return null;
  const { energy, why } = energyOf(job, options);
  const emissions =
    energy === null ? null : emissionsAt(energy, intensityOf(options.signal)).figure;
  const used = job.usedCpuS;
  return importedCard({
    id: `slurm-${job.id}-${begin.at.toString(36)}`,
    kind: "job",
    name: job.name || `job ${job.id}`,
    tags: { imported: "slurm", slurm_job: job.id, partition: job.partition, state: job.state },
    status,
    from: begin.at,
    seconds: job.elapsedS,
    clock: "Slurm's accounting",
    energy,
    ...(emissions === null ? {} : { emissions, signal: options.signal }),
    ...(used === 0
      ? {}
      : {
          cpuTime: exact("s", used, { method: "measured", source: "Slurm's accounting, TotalCPU" }),
        }),
    scope: options.pue.value === 1 ? "component" : "facility",
    pue: options.pue,
    notices: [...why, ...begin.notices],
    machine: {
      platform: "linux",
      cpu: {
        name: `${job.cpus} CPUs on ${job.nodes} nodes of Slurm`,
        threads: Math.max(1, job.cpus),
      },
      memoryBytes: job.requestedGB * 1e9,
      gpus: Array.from({ length: job.gpus }, () => ({ name: "GPU of Slurm" })),
    },
    version: options.version,
  });
}

/** Start; else end less the elapsed time; else the submission, which is earlier. */
function beginOf(
  { started, ended, submitted, elapsedS }: SlurmJob,
  offset: number,
): { readonly at: number; readonly notices: readonly string[] } | null {
  const utc = (text: string): number => Date.parse(`${text}Z`) - offset * 60_000;
  if (started !== null) return { at: utc(started), notices: [] };
  if (ended !== null) return { at: utc(ended) - elapsedS * 1000, notices: [] };
  if (submitted === null) return null;
  const notice = "the listing has no Start: the time of submission stands for it";
  return { at: utc(submitted), notices: [notice] };
}

function energyOf(
  job: SlurmJob,
  { coreTdp, gpuTdp, pue, signal }: SlurmOptions,
): { readonly energy: Figure<"J"> | null; readonly why: readonly string[] } {
  if (coreTdp === null)
    return { energy: null, why: ["no energy: watts of a core are not given (--tdp)"] };
  if (job.gpus > 0 && gpuTdp === null) {
    const why = `no energy: the job had ${job.gpus} GPUs, and their watts are not given (--gpu-tdp)`;
    return { energy: null, why: [why] };
  }
  const cluster = {
    coreTdp,
    gpuTdp,
    pue: pue.value,
    intensity: signal.intensity.value,
    memoryStepGB: 1,
  };
  const [cost] = costOfSlurmJobs([job], cluster);
  if (cost === undefined || cost.energy === 0) {
    return { energy: null, why: ["no energy: the job took no time"] };
  }
  const gpus = job.gpus === 0 ? "" : `, ${gpuTdp} W a GPU`;
  return {
    energy: withError("J", cost.energy, ERROR, {
      method: "estimated",
      source: `Green Algorithms for HPC: ${coreTdp} W a core${gpus}, memory as asked for, PUE ${pue.value}`,
    }),
    why: job.usedCpuS === 0 ? ["Slurm recorded no CPU time: all cores count as fully used"] : [],
  };
}
