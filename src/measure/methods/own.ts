// godwit's own estimate of a described workload, told in the same parts as a peer's, with intervals:
// the models for machines without sensors (docs/methods/power-model.md), GPUs by rated power and load,
// supply and board, PUE once, and the intensity that the location ladder found.

import type { Signal } from "../../core/card.ts";
import {
  type AnyFigure,
  exact,
  type Figure,
  figure,
  type Host,
  JOULES_PER_KILOWATT_HOUR,
  product,
  scaled,
  sum,
  UserError,
  withError,
} from "../../core/index.ts";
import { providerPue, pueOf } from "../carbon/pue.ts";
import { loadPowerModel, type PowerModel } from "../estimate/coefficients.ts";
import { type MachineClass, machineClassOf } from "../estimate/machine-class.ts";
import { memoryPower } from "../estimate/memory-power.ts";
import { nominalFrequency } from "../estimate/nominal-frequency.ts";
import { packageFigure } from "../estimate/package-power.ts";
import { serverRest } from "../estimate/plan.ts";
import { serverPower } from "../estimate/server-power.ts";
import { guestPower, threadPowerOf } from "../estimate/thread-power.ts";
import { wallModelOf } from "../estimate/wall.ts";
import { gpuPower } from "../sensors/gpu-model.ts";
import { type GpuRating, loadGpuTable, unknownGpuRating } from "../sensors/gpu-table.ts";
import { answered, type MethodResult, round, type Term, type TermName } from "./method.ts";
import { machineTdp, type Workload, type WorkloadCpu, type WorkloadGpu } from "./workload.ts";

export interface OwnEstimate extends MethodResult {
  readonly figures: { readonly energy: Figure<"J">; readonly emissions: Figure<"gCO2e"> };
  readonly signal: Signal;
  /** What was assumed, one sentence each. */
  readonly notes: readonly string[];
}

/** Power of one part, and on which side of the supply it is. */
interface Part {
  readonly name: TermName;
  readonly power: Figure<"W">;
  readonly scope: "component" | "wall";
  readonly basis: string;
}

interface Tables {
  readonly model: PowerModel;
  readonly gpus: readonly GpuRating[];
  readonly frequencyGHz: number | null;
}

/** The estimate of a workload. Throws UserError when it says too little. */
export async function ownEstimate(
  host: Host,
  workload: Workload,
  signal: Signal,
): Promise<OwnEstimate> {
  const name = workload.cpu?.name ?? null;
  const tables: Tables = {
    model: await loadPowerModel(host),
    gpus: await loadGpuTable(host),
    frequencyGHz: name === null ? null : await nominalFrequency(elsewhere(host), name),
  };
  const parts = [
    ...machineParts(workload, tables),
    ...workload.gpus.map((gpu) => gpuPart(gpu, tables)),
  ];
  if (parts.length === 0) throw sayMore("neither a CPU, a GPU nor memory was given");
  const pue = await pueOfWorkload(host, workload);
  return estimateOf(workload, [...parts, ...supplyOf(workload, parts)], { pue, signal });
}

/** As given, else as the cloud publishes it, else by the kind of machine. */
async function pueOfWorkload(host: Host, { pue, cloud, machine }: Workload): Promise<Figure<"1">> {
  if (pue === null && cloud !== null) {
    const published = await providerPue(host, cloud.provider, cloud.region);
    if (published !== null) return published;
  }
  return pueOf({
    ...(pue === null ? {} : { declared: pue }),
    personal: machine === "desktop" || machine === "laptop",
  });
}

/** Power of the parts to energy, facility and emissions. */
function estimateOf(
  workload: Workload,
  parts: readonly Part[],
  { pue, signal }: { readonly pue: Figure<"1">; readonly signal: Signal },
): OwnEstimate {
  const { hours } = workload;
  const powers = parts.map(({ power }) => power);
  const time = exact("s", hours * 3600, { method: "declared", source: "hours as given" });
  const power = sum("W", powers, { source: "sum of the parts" });
  const energy = product("J", [power, time, pue], { source: "power x time x PUE" });
  const emissions = product("gCO2e", [energy, signal.intensity], {
    scale: 1 / JOULES_PER_KILOWATT_HOUR,
    source: "energy x intensity",
  });
  const names = parts.map(({ name }) => name).join(" + ");
  const formula = `(${names}) x PUE ${pue.value}`;
  const basis = `${round(signal.intensity.value)} gCO2e/kWh, ${signal.rung}`;
  return {
    terms: parts.map((part) => termOf(part, hours)),
    factors: [{ name: "PUE", value: pue.value, basis: `PUE ${pue.value}`, constants: [] }],
    energy: answered(energy.value, { formula, basis: `PUE ${pue.value}` }),
    intensity: answered(signal.intensity.value, { formula: signal.rung, basis }),
    emissions: answered(emissions.value, { formula: "energy x intensity", basis }),
    missing: [],
    figures: { energy, emissions },
    signal,
    notes: notesOf(workload, [pue, ...powers]),
  };
}

/** What kind of machine a described one is, told by the CPU's name alone. */
export async function describedMachine(host: Host, cpuName: string): Promise<MachineClass> {
  const known = { cpuName, microarchitecture: null, hypervisor: false };
  return (await machineClassOf(elsewhere(host), known)).machine;
}

/** A host with this one's tables and none of its files: the machine is described, not present. */
function elsewhere(host: Host): Host {
  const absent = async (path: string): Promise<never> => {
    throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
  };
  return { ...host, platform: "linux", readText: absent, list: absent };
}

function machineParts(workload: Workload, tables: Tables): readonly Part[] {
  const { cpu, machine, memoryGB } = workload;
  if (cpu === null) return memoryGB === null ? [] : [memoryPart(memoryGB, "component")];
  const tdp = machineTdp(cpu);
  if (machine === "server" && tdp !== null) return serverParts(workload, tables, { cpu, tdp });
  if (machine === "guest" && cpu.threads !== null) {
    return guestParts(workload, tables, { cpu, threads: cpu.threads });
  }
  if (machine === "guest") {
    throw new UserError("invalid-input", "the guest's part of its server is not known", {
      hint: "Give --threads with the number of virtual processors, or another --machine.",
    });
  }
  if (tdp === null && cpu.cores === null) {
    throw sayMore(`neither the TDP nor the cores of ${cpu.name ?? "the CPU"} are known`);
  }
  const packages = { tdp, cores: cpu.cores ?? 1 };
  const power = scaled(packageFigure(packages, cpu.usage), cpu.share);
  const basis = `${tdp === null ? "8 W a core" : `TDP ${tdp} W`} x (0.14 + 0.55 u^0.7)`;
  const own: Part = { name: "cpu", power, scope: "component", basis };
  return memoryGB === null ? [own] : [own, memoryPart(memoryGB * cpu.share, "component")];
}

function serverParts(
  { memoryGB }: Workload,
  { model, frequencyGHz }: Tables,
  { cpu, tdp }: { readonly cpu: WorkloadCpu; readonly tdp: number },
): readonly Part[] {
  const size = memoryGB ?? model.server.reference.memory;
  const server = { tdp, memoryGB: size, frequencyGHz, microarchitecture: null };
  const memory = memoryPower(size);
  const rest = serverRest(serverPower(model, server, cpu.usage), memory);
  return [
    {
      name: "cpu",
      power: scaled(rest, cpu.share),
      scope: "wall",
      basis: `wall power fitted on SPECpower servers (TDP ${tdp} W)`,
    },
    memoryPart(size * cpu.share, "wall"),
  ];
}

function guestParts(
  { memoryGB }: Workload,
  { model }: Tables,
  { cpu, threads }: { readonly cpu: WorkloadCpu; readonly threads: number },
): readonly Part[] {
  const guest = { threads: threads * cpu.share, microarchitecture: null };
  const inside = threadPowerOf(model, null).memoryGB * guest.threads;
  const beyond = Math.max((memoryGB ?? 0) * cpu.share - inside, 0);
  const own: Part = {
    name: "cpu",
    power: guestPower(model, guest, cpu.usage),
    scope: "wall",
    basis: "wall power of a server thread (SPECpower)",
  };
  return beyond === 0 ? [own] : [own, memoryPart(beyond, "wall")];
}

const memoryPart = (gigabytes: number, scope: Part["scope"]): Part => ({
  name: "memory",
  power: memoryPower(gigabytes),
  scope,
  basis: "0.22 W/GB",
});

/** As for GPUs without a power sensor: docs/methods/gpu-power.md. */
const GPU_ERROR = 0.3;
const UNKNOWN_USAGE = { value: 0.7, low: 0.3, high: 1 } as const;

function gpuPart({ name, tdp, count, usage }: WorkloadGpu, { gpus }: Tables): Part {
  const unknown = unknownGpuRating(gpus);
  const rated =
    tdp === null
      ? figure("W", unknown.tdp, unknown, {
          method: "estimated",
          source: `${name} is not in the table of ratings: its median`,
        })
      : exact("W", tdp, { method: "declared", source: `rated power of ${name}` });
  const share = (at: number): number => gpuPower(1, at);
  const loaded =
    usage === null
      ? figure(
          "1",
          share(UNKNOWN_USAGE.value),
          { low: share(UNKNOWN_USAGE.low), high: share(UNKNOWN_USAGE.high) },
          {
            method: "estimated",
            source: "GPU usage unknown: 0.7, from 0.3 to 1",
            fallbacks: [`usage of ${name} unknown, 0.7 assumed (--gpu-usage)`],
          },
        )
      : exact("1", share(usage), { method: "declared", source: "GPU usage as given" });
  const formula = withError("1", 1, GPU_ERROR, { method: "estimated", source: "0.115 + 0.905 u" });
  return {
    name: "gpu",
    power: product("W", [rated, loaded, formula], {
      scale: count,
      source: "TDP x (0.115 + 0.905 u)",
    }),
    scope: "component",
    basis: `TDP ${rated.value} W x (0.115 + 0.905 u), u = ${usage ?? UNKNOWN_USAGE.value}`,
  };
}

/** What supply and board take beyond the parts that are inside the machine. */
function supplyOf({ machine, cpu }: Workload, parts: readonly Part[]): readonly Part[] {
  const inner = parts.flatMap(({ scope, power }) => (scope === "component" ? [power] : []));
  // A guest's own supply is its host's.
  const wall = wallModelOf(machine === "guest" ? "server" : machine);
  if (wall === null || inner.length === 0) return [];
  const { source } = wall.factor;
  const inside = sum("W", inner, { source: "components" });
  const grown = product("W", [inside, wall.factor], { source });
  const value = grown.value - inside.value;
  const losses = figure(
    "W",
    value,
    {
      low: Math.min(Math.max(grown.low - inside.low, 0), value),
      high: Math.max(grown.high - inside.high, value),
    },
    { method: "estimated", source },
  );
  const power = sum("W", [losses, scaled(wall.base, cpu?.share ?? 1)], { source });
  return [{ name: "supply", power, scope: "wall", basis: `supply and board of a ${machine}` }];
}

function termOf({ name, power, basis }: Part, hours: number): Term {
  const energy = product("J", [power], { scale: hours * 3600, source: power.source });
  const formula = `${power.source} = ${round(power.value)} W x ${round(hours)} h`;
  return { name, energy: answered(energy.value, { formula, basis }) };
}

function notesOf(workload: Workload, figures: readonly AnyFigure[]): readonly string[] {
  const { cpu, machine, memoryGB } = workload;
  return [
    `taken as a ${machine}`,
    ...(cpu === null ? ["no CPU was given: its energy is not in the estimate (--cpu)"] : []),
    ...(memoryGB === null && machine !== "server"
      ? ["no memory was given: its energy is not in the estimate (--memory)"]
      : []),
    ...(memoryGB === null && machine === "server" && cpu !== null
      ? ["memory unknown: the model's reference size is assumed (--memory)"]
      : []),
    ...new Set(figures.flatMap(({ fallbacks = [] }) => fallbacks)),
  ];
}

function sayMore(fault: string): UserError {
  return new UserError("invalid-input", fault, {
    hint: "Give --tdp with the watts of one socket, or --cores.",
  });
}
