// From the options of `godwit estimate` to a workload: names are looked up in the shipped tables, and one
// that is not there is refused with the nearest that is.

import type { Signal } from "../core/card.ts";
import { type Host, suggest, UserError } from "../core/index.ts";
import { normaliseCpuName } from "../measure/estimate/cpu-table.ts";
import {
  CPU_TABLE_SOURCE,
  findTdp,
  loadCpuTable,
  type MachineClass,
} from "../measure/estimate/index.ts";
import {
  describedMachine,
  type Place,
  type Workload,
  workloadOf,
} from "../measure/methods/index.ts";
import { findGpuRating, loadGpuTable } from "../measure/sensors/gpu-table.ts";
import type { GpuChoice } from "./estimate-values.ts";

/** What the command line says of a workload. */
export interface Described {
  readonly cpu?: string | undefined;
  readonly tdp?: number | undefined;
  readonly sockets: number;
  readonly cores?: number | undefined;
  readonly threads?: number | undefined;
  readonly usage: number;
  readonly share: number;
  readonly gpu: readonly GpuChoice[];
  readonly gpuUsage?: number | undefined;
  readonly hours: number;
  readonly memory?: number | undefined;
  readonly usedMemory?: number | undefined;
  readonly transfer?: number | undefined;
  readonly machine?: MachineClass | undefined;
  readonly cloud?: { readonly provider: string; readonly region: string } | undefined;
  readonly pue?: number | undefined;
}

/** The workload that was described, in the place of a signal. Throws UserError for unknown names. */
export async function workloadOfOptions(
  host: Host,
  options: Described,
  signal: Signal,
): Promise<Workload> {
  const { cpu, cores, threads, tdp } = options;
  const hasCpu = [cpu, cores, threads, tdp].some((one) => one !== undefined);
  return workloadOf({
    hours: options.hours,
    machine: options.machine ?? (await machineOf(host, options)),
    cpu: hasCpu
      ? {
          name: cpu ?? null,
          tdp: tdp ?? (await tdpOf(host, options)),
          sockets: options.sockets,
          cores: cores ?? null,
          threads: threads ?? null,
          usage: options.usage,
          share: options.share,
        }
      : null,
    gpus: await gpusOf(host, options),
    memoryGB: options.memory ?? null,
    usedMemoryGB: options.usedMemory ?? null,
    transferGB: options.transfer ?? null,
    place: placeOf(signal),
    pue: options.pue ?? null,
    cloud: options.cloud ?? null,
  });
}

/** A cloud lends guests; otherwise the CPU's name tells, and GPUs alone stand in a server. */
async function machineOf(host: Host, { cpu, cloud, gpu }: Described): Promise<MachineClass> {
  if (cloud !== undefined) return "guest";
  if (cpu !== undefined) return describedMachine(host, cpu);
  return gpu.length > 0 ? "server" : "desktop";
}

/** TDP of one socket; null for an unlisted CPU of known cores or threads. */
async function tdpOf(host: Host, { cpu, cores, threads }: Described): Promise<number | null> {
  if (cpu === undefined) return null;
  const table = await loadCpuTable(host);
  const tdp = findTdp(table, cpu);
  if (tdp !== null || cores !== undefined || threads !== undefined) return tdp;
  const near = suggest(normaliseCpuName(cpu), table.keys());
  throw new UserError("invalid-input", `the power of the CPU "${cpu}" is not known`, {
    hint: `${near === null ? "" : `Did you mean "${near}"? `}Give its watts with --tdp, or --cores.\nNames are those of: ${CPU_TABLE_SOURCE}.`,
  });
}

async function gpusOf(host: Host, { gpu, gpuUsage }: Described): Promise<Workload["gpus"]> {
  if (gpu.length === 0) return [];
  const table = await loadGpuTable(host);
  return gpu.map(({ name, count, watts }) => {
    const tdp = watts ?? findGpuRating(table, name)?.tdp;
    if (tdp !== undefined) return { name, count, tdp, usage: gpuUsage ?? null };
    const near = nearestGpu(
      name,
      table.map((rating) => rating.name),
    );
    throw new UserError("invalid-input", `the power of the GPU "${name}" is not known`, {
      hint: `${near === null ? "" : `Did you mean ${near}? `}Give its watts: --gpu "${name}:300".`,
    });
  });
}

/** Names that contain every word of what was typed, else the nearest by spelling. */
function nearestGpu(name: string, names: readonly string[]): string | null {
  const words = name
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter(Boolean);
  const holding = names.filter((one) => words.every((word) => one.toUpperCase().includes(word)));
  if (holding.length > 0) return holding.map((one) => `"${one}"`).join(" or ");
  const bare = (one: string): string => one.replace(/^(NVIDIA|AMD|Intel) /, "");
  const near = suggest(bare(name), names.map(bare));
  return near === null ? null : `"${near}"`;
}

/** The place of a signal, as peers look places up. */
const placeOf = (signal: Signal): Place => ({
  zone: signal.zone,
  intensity: signal.intensity.value,
  declared: signal.zone === "declared",
  source: signal.rung,
});
