// A workload as the tools see it: what ran, on what, for how long and where. Every field is what a
// person, a recorded run or a table says; null is "not known", never an assumption.

import { type Joules, UserError } from "../../core/index.ts";
import type { MachineClass } from "../estimate/machine-class.ts";

export interface WorkloadCpu {
  /** As the kernel or a catalogue spells it; null when unknown. */
  readonly name: string | null;
  /** Thermal design power of one socket, watts; null when unknown. */
  readonly tdp: number | null;
  readonly sockets: number;
  /** Physical cores of all sockets; null when unknown. */
  readonly cores: number | null;
  /** Logical processors of all sockets; null when unknown. */
  readonly threads: number | null;
  /** Load of the whole machine, 0..1. */
  readonly usage: number;
  /** The workload's part of that load, 0..1. */
  readonly share: number;
}

export interface WorkloadGpu {
  readonly name: string;
  /** Board power of one device, watts; null when unknown. */
  readonly tdp: number | null;
  readonly count: number;
  /** 0..1; null when unknown. */
  readonly usage: number | null;
}

/** Where the energy comes from. */
export interface Place {
  /** ISO 3166-1 alpha-2, or `WORLD`; `declared` when only an intensity was given. */
  readonly zone: string;
  /** gCO2e/kWh. */
  readonly intensity: number;
  /** Whether the intensity itself was given. */
  readonly declared: boolean;
  readonly source: string;
}

/** Energies that sensors gave, for methods that read them. */
export interface Counters {
  readonly package: Joules | null;
  readonly dram: Joules | null;
  readonly gpu: Joules | null;
}

/** Requests to a language model. */
export interface Requests {
  readonly count: number;
  /** Mean per request. */
  readonly outputTokens: number;
  /** Parameters used for a token, in units of one. */
  readonly activeParameters: number;
  readonly totalParameters: number;
}

export interface Workload {
  readonly hours: number;
  readonly machine: MachineClass;
  readonly cpu: WorkloadCpu | null;
  readonly gpus: readonly WorkloadGpu[];
  /** Memory of the machine or that was asked for, GB; null when unknown. */
  readonly memoryGB: number | null;
  /** Memory that the workload itself used, GB; null when unknown. */
  readonly usedMemoryGB: number | null;
  readonly place: Place | null;
  /** As given; null when not. */
  readonly pue: number | null;
  readonly cloud: { readonly provider: string; readonly region: string } | null;
  readonly storage: { readonly kind: "ssd" | "hdd"; readonly terabytes: number } | null;
  /** Data sent to people or other places, GB; null when none is known. */
  readonly transferGB: number | null;
  readonly counters: Counters | null;
  readonly requests: Requests | null;
}

/** A workload from what is known of it. Throws UserError when a number cannot be right. */
export function workloadOf(
  known: Partial<Omit<Workload, "cpu">> & {
    readonly hours: number;
    readonly cpu?: Partial<WorkloadCpu> | null;
  },
): Workload {
  const workload: Workload = {
    machine: "desktop",
    gpus: [],
    memoryGB: null,
    usedMemoryGB: null,
    place: null,
    pue: null,
    cloud: null,
    storage: null,
    transferGB: null,
    counters: null,
    requests: null,
    ...known,
    cpu: known.cpu === undefined || known.cpu === null ? null : { ...UNKNOWN_CPU, ...known.cpu },
  };
  check(workload);
  return workload;
}

const UNKNOWN_CPU: WorkloadCpu = {
  name: null,
  tdp: null,
  sockets: 1,
  cores: null,
  threads: null,
  usage: 1,
  share: 1,
};

function check({ hours, cpu, gpus, memoryGB }: Workload): void {
  above(hours, "hours", "Give how long it runs, such as --hours 12 or --hours 90min.");
  const size = "Give it as a number of gigabytes above zero, such as --memory 64.";
  if (memoryGB !== null) above(memoryGB, "memory", size);
  if (cpu !== null) {
    const { tdp, sockets, cores, threads, usage, share } = cpu;
    if (tdp !== null) above(tdp, "TDP", "Give the watts of one socket, such as --tdp 205.");
    for (const [count, name] of [
      [sockets, "sockets"],
      [cores ?? 1, "cores"],
      [threads ?? 1, "threads"],
    ] as const) {
      above(count, name, "Give a whole number of 1 or more.");
    }
    fraction(usage, "usage");
    fraction(share, "share");
  }
  for (const gpu of gpus) {
    above(
      gpu.count,
      "number of GPUs",
      'Give a whole number of 1 or more, such as --gpu 8x"H100 SXM5 80GB".',
    );
    if (gpu.usage !== null) fraction(gpu.usage, "GPU usage");
    if (gpu.tdp !== null) above(gpu.tdp, "GPU power", "Give watts above zero.");
  }
}

function above(value: number, name: string, hint: string): void {
  if (value > 0 && Number.isFinite(value)) return;
  throw new UserError("invalid-input", `${name} of ${value} cannot be right`, { hint });
}

function fraction(value: number, name: string): void {
  if (value >= 0 && value <= 1) return;
  throw new UserError("invalid-input", `${name} of ${value} cannot be right`, {
    hint: "Give a share from 0 to 1, or a percentage such as 70%.",
  });
}

/** Thermal design power of all sockets; null when unknown. */
export const machineTdp = (cpu: WorkloadCpu): number | null =>
  cpu.tdp === null ? null : cpu.tdp * cpu.sockets;

/** The reason that every method gives for a GPU whose power nobody told. */
export const unknownGpu = ({ name }: WorkloadGpu): string =>
  `the board power of ${name} is not known; give it as NAME:WATTS`;
