// Green Algorithms for HPC: the same arithmetic on a Slurm cluster's accounting. CPU energy is CPU
// time that was used (all that was reserved, where Slurm did not record it) times watts of a core,
// GPUs run at full power for the whole job, memory is what was asked for.

import {
  carbonIntensity,
  emissionsOf,
  type GramsCO2e,
  type Joules,
  joules,
  total,
  type Watts,
} from "../../core/index.ts";
import { GREEN_ALGORITHMS_CONSTANTS } from "./green-algorithms.ts";
import {
  type Method,
  missingTerm,
  powerTerm,
  resultOf,
  round,
  standInIntensity,
  type Term,
} from "./method.ts";
import type { SlurmJob } from "./sacct.ts";
import { machineTdp, type WorkloadCpu } from "./workload.ts";

/** What the cluster's configuration says of one partition. */
export interface SlurmCluster {
  /** Of one core. */
  readonly coreTdp: Watts;
  /** Of one GPU; null on partitions without. */
  readonly gpuTdp: Watts | null;
  readonly pue: number;
  /** gCO2e/kWh. */
  readonly intensity: number;
  /** Step in which users may ask for memory, GB. */
  readonly memoryStepGB: number;
}

export interface SlurmJobCost {
  readonly job: SlurmJob;
  readonly cpu: Joules;
  readonly gpu: Joules;
  readonly memory: Joules;
  /** Of all, with the PUE. */
  readonly energy: Joules;
  readonly emissions: GramsCO2e;
  /** Energy had the job asked for no more memory than it needed, with the PUE. */
  readonly energyIfFitted: Joules;
  /** Memory asked for over memory needed, at least 1. */
  readonly memoryOverallocation: number;
  /** Whether all this was spent on a job that did not complete. */
  readonly wasted: boolean;
}

const RUNNING = new Set(["PD", "PENDING", "R", "RUNNING", "RQ", "REQUEUED"]);
const DONE = new Set(["CD", "COMPLETED"]);
const { memory } = GREEN_ALGORITHMS_CONSTANTS;

/** The cost of each job that has ended; those that are pending or running are left out. */
export function costOfSlurmJobs(
  jobs: readonly SlurmJob[],
  cluster: SlurmCluster,
): readonly SlurmJobCost[] {
  return jobs.filter(({ state }) => !RUNNING.has(state)).map((job) => costOf(job, cluster));
}

function costOf(job: SlurmJob, cluster: SlurmCluster): SlurmJobCost {
  const cpuS = job.usedCpuS === 0 ? job.reservedCpuS : job.usedCpuS;
  const cpu = joules(cpuS * cluster.coreTdp);
  const gpu = joules(job.elapsedS * job.gpus * (cluster.gpuTdp ?? 0));
  const memoryOf = (gigabytes: number) => joules(job.elapsedS * gigabytes * memory.value);
  const needed = neededMemory(job, cluster.memoryStepGB);
  const withPue = (own: Joules) => joules((cpu + gpu + own) * cluster.pue);
  const energy = withPue(memoryOf(job.requestedGB));
  return {
    job,
    cpu,
    gpu,
    memory: memoryOf(job.requestedGB),
    energy,
    emissions: emissionsOf(energy, carbonIntensity(cluster.intensity)),
    energyIfFitted: withPue(memoryOf(needed)),
    memoryOverallocation: needed === 0 ? 1 : Math.max(job.requestedGB / needed, 1),
    wasted: !DONE.has(job.state),
  };
}

/** The smallest step above what was used; what was asked for, where nothing was recorded. */
function neededMemory({ maxRssGB, requestedGB }: SlurmJob, step: number): number {
  if (maxRssGB === null) return requestedGB;
  const stepped = (Math.floor(maxRssGB / step) + 1) * step;
  return requestedGB < maxRssGB ? stepped : Math.min(requestedGB, stepped);
}

export const ga4hpc: Method = {
  name: "ga4hpc",
  title: "Green Algorithms for HPC",
  version: "0.1 (2024)",
  scope: "facility",
  source: "GreenAlgorithms/GreenAlgorithms4HPC, backend (CPU, GPU and memory rules)",
  constants: { memory: { ...memory, source: "GreenAlgorithms4HPC, fixed_parameters.yaml" } },
  defects: [
    "GPUs count as fully used for the whole of the job",
    "a job without recorded CPU time counts all of its cores as fully used",
  ],

  estimate(workload) {
    const { cpu, gpus, memoryGB, hours, pue } = workload;
    return resultOf({
      terms: [
        ...(cpu === null ? [] : [cpuTerm(cpu, hours)]),
        ...gpus.map(({ name, tdp: board, count }) =>
          board === null
            ? missingTerm("gpu", `the board power of ${name} is not known`)
            : powerTerm(
                "gpu",
                { watts: board * count, hours },
                {
                  formula: `${count} x ${board} W, always at full power`,
                  basis: `TDP ${board} W at full power`,
                },
              ),
        ),
        memoryGB === null
          ? missingTerm("memory", "the memory asked for is not known (--memory)")
          : powerTerm(
              "memory",
              { watts: memoryGB * memory.value, hours },
              {
                formula: `${round(memoryGB)} GB asked for x ${memory.value} W/GB`,
                basis: `${memory.value} W/GB asked for`,
                constants: ["memory"],
              },
            ),
      ],
      factors:
        pue === null
          ? []
          : [{ name: "PUE", value: pue, basis: `PUE ${pue} as given`, constants: [] }],
      intensity: standInIntensity(workload, "the cluster's configured intensity"),
    });
  },
};

function cpuTerm(cpu: WorkloadCpu, hours: number): Term {
  const tdp = machineTdp(cpu);
  if (tdp === null) return missingTerm("cpu", "it is told watts of a core; none is known (--tdp)");
  const busy = cpu.usage * cpu.share;
  return powerTerm(
    "cpu",
    { watts: tdp * busy, hours },
    {
      formula: `TDP ${tdp} W x used CPU time ${round(busy)}`,
      basis: `TDP ${tdp} W x used CPU time`,
    },
  );
}

/** Energy of several jobs, such as all of a user's. */
export const totalOfSlurmJobs = (costs: readonly SlurmJobCost[]): Joules =>
  total(costs.map(({ energy }) => energy));
