// Which model fits this machine, with its numbers: what `godwit doctor` and `godwit explain` tell of
// a machine without sensors. First that applies: the machine's own calibration; a guest's share of a
// server; a whole server by its TDP, or by its microarchitecture; the components of anything else.

import type { Figure, Host } from "../../core/index.ts";
import { curvePower } from "../calibrate/curve.ts";
import type { Profile } from "../calibrate/profile.ts";
import { provenance, type StoredProfile, storedProfile } from "../calibrate/stored.ts";
import { type CpuIdentity, identifyCpu } from "../run/cpu-identity.ts";
import { virtualizationOf } from "../run/virtualization.ts";
import type { Domain, Scope } from "../sensors/sensor.ts";
import { loadPowerModel, type PowerModel } from "./coefficients.ts";
import { CPU_TABLE_SOURCE, findTdp, loadCpuTable } from "./cpu-table.ts";
import { type ClassOf, machineClassOf } from "./machine-class.ts";
import { memoryPower } from "./memory-power.ts";
import {
  type CpuId,
  findMicroarchitecture,
  loadMicroarchitectures,
  type Microarchitecture,
} from "./microarchitecture.ts";
import { nominalFrequency } from "./nominal-frequency.ts";
import { packageFigure, packagePower } from "./package-power.ts";
import { isInFamily, type ServerFacts, serverFormula, serverPower } from "./server-power.ts";
import { explainGuest, guestPower, threadPowerOf } from "./thread-power.ts";

/** One part of a machine whose power is modelled. */
export interface ModelledPart {
  readonly domain: Extract<Domain, "cpu" | "memory">;
  readonly scope: Scope;
  /** Formula with its numbers and where they are from. */
  readonly source: string;
  /** Parts whose power is inside this one's. */
  readonly contains?: readonly ModelledPart["domain"][];
  /** Power at a load of the processors in 0..1. */
  power(load: number): Figure<"W">;
}

export interface EstimatePlan {
  readonly machine: ClassOf;
  readonly parts: readonly ModelledPart[];
  /** What `godwit calibrate` has stored of this machine. */
  readonly calibration: StoredProfile;
  /** What was assumed, one sentence each. */
  readonly notes: readonly string[];
}

/** What the models need of a machine. */
interface Facts {
  readonly cpu: CpuIdentity;
  readonly microarchitecture: Microarchitecture | null;
  /** Watts of all sockets; null when the name is not listed. */
  readonly tdp: number | null;
  readonly cores: number;
  readonly memoryGB: number;
  readonly frequencyGHz: number | null;
  readonly model: PowerModel;
}

/** The models that fit this machine. */
export async function planEstimate(host: Host): Promise<EstimatePlan> {
  const cpu = await identifyCpu(host);
  const id = cpuIdOf(cpu);
  const microarchitecture =
    id === null ? null : findMicroarchitecture(await loadMicroarchitectures(host), id);
  const hypervisor = isHypervisor(await virtualizationOf(host));
  const machine = await machineClassOf(host, { cpuName: cpu.name, microarchitecture, hypervisor });
  const socketTdp = findTdp(await loadCpuTable(host), cpu.name);
  const facts: Facts = {
    cpu,
    microarchitecture,
    tdp: socketTdp === null ? null : socketTdp * (cpu.sockets ?? 1),
    cores: cpu.cores ?? coresOf(host, cpu.threads),
    memoryGB: host.facts.memoryBytes / 1e9,
    frequencyGHz: await nominalFrequency(host, cpu.name),
    model: await loadPowerModel(host),
  };
  const notes = [
    `taken as a ${machine.machine}: ${machine.reason}`,
    ...(cpu.sockets === undefined ? ["number of sockets unknown, 1 assumed"] : []),
    ...(cpu.cores === undefined ? [`number of cores unknown, ${facts.cores} assumed`] : []),
  ];
  const calibration = await storedProfile(host);
  const own = calibration.status === "used" ? calibratedParts(calibration.profile, facts) : null;
  return { machine, parts: own ?? partsOf(machine, facts), calibration, notes };
}

/** The load curve that was measured here, memory and board inside it; null when there is none. */
function calibratedParts(profile: Profile, { memoryGB }: Facts): readonly ModelledPart[] | null {
  const { curve } = profile;
  if (curve === null) return null;
  const { idle, full, shape } = curve;
  const formula = `${round(idle.value)} W + ${round(full.value - idle.value)} W x u^${round(shape.value)}`;
  const source = `wall power ${formula}, ${provenance(profile)}`;
  const memory = memoryPower(memoryGB);
  return [
    {
      domain: "cpu",
      scope: "wall",
      source,
      contains: ["memory"],
      power: (load) => curvePower(curve, load, source),
    },
    { domain: "memory", scope: "component", source: memory.source, power: () => memory },
  ];
}

const round = (value: number): number => Number(value.toPrecision(3));

function partsOf({ machine }: ClassOf, facts: Facts): readonly ModelledPart[] {
  const { microarchitecture, tdp, model } = facts;
  const isClient = microarchitecture?.segment === "client";
  if (machine === "guest" && !isClient) return guestParts(facts);
  if (machine === "server" && tdp !== null) return serverParts({ ...facts, tdp });
  const measured = threadPowerOf(model, microarchitecture?.id ?? null).known;
  if (machine === "server" && measured) return guestParts(facts);
  // A guest of a client machine does not know its share of the package: by its cores, then.
  return componentParts(machine === "guest" ? { ...facts, tdp: null } : facts);
}

/** Threads at the wall, and the memory that the guest has beyond what such servers have a thread. */
function guestParts({ cpu, microarchitecture, memoryGB, model }: Facts): readonly ModelledPart[] {
  const guest = { threads: cpu.threads, microarchitecture: microarchitecture?.id ?? null };
  const inside = threadPowerOf(model, guest.microarchitecture).memoryGB * guest.threads;
  const beyond = memoryPower(Math.max(memoryGB - inside, 0));
  return [
    {
      domain: "cpu",
      scope: "wall",
      source: explainGuest(model, guest),
      power: (load) => guestPower(model, guest, load),
    },
    {
      domain: "memory",
      scope: "wall",
      source: `${beyond.source} beyond the ${inside.toPrecision(3)} GB inside the threads' power`,
      power: () => beyond,
    },
  ];
}

/**
 * A whole server, told apart into memory and the rest: the two add up to the fitted wall power, and
 * each can give way to a sensor of its own.
 */
function serverParts(facts: Facts & { readonly tdp: number }): readonly ModelledPart[] {
  const { model, tdp, memoryGB, frequencyGHz, microarchitecture } = facts;
  const server: ServerFacts = {
    tdp,
    memoryGB,
    frequencyGHz,
    microarchitecture: microarchitecture?.id ?? null,
  };
  const memory = memoryPower(memoryGB);
  const kind = isInFamily(model, server) ? "among" : "newer or other than";
  return [
    {
      domain: "cpu",
      scope: "wall",
      source: `${serverFormula(model, server)}, less memory; ${kind} the systems fitted on`,
      power: (load) => serverRest(serverPower(model, server, load), memory),
    },
    { domain: "memory", scope: "wall", source: memory.source, power: () => memory },
  ];
}

function componentParts({ cpu, tdp, cores, memoryGB }: Facts): readonly ModelledPart[] {
  const packages = { tdp, cores };
  const { formula } = packagePower(packages);
  const memory = memoryPower(memoryGB);
  return [
    {
      domain: "cpu",
      scope: "component",
      source: `${cpu.name || "a processor without a name"}: ${formula}${tdp === null ? "" : ` (${CPU_TABLE_SOURCE})`}`,
      power: (load) => packageFigure(packages, load),
    },
    { domain: "memory", scope: "component", source: memory.source, power: () => memory },
  ];
}

/** A server's power without its memory's; the bounds are the server's, moved by the same watts. */
export function serverRest(server: Figure<"W">, memory: Figure<"W">): Figure<"W"> {
  // Large memories idle below the linear figure: memory is then taken as half of the whole.
  const own = Math.min(memory.value, server.value / 2);
  const value = server.value - own;
  const moved = { low: Math.max(server.low - own, server.low / 2), high: server.high - own };
  return {
    ...server,
    value: value as typeof server.value,
    low: Math.min(moved.low, value) as typeof server.low,
    high: moved.high as typeof server.high,
  };
}

/** Numbers by which software knows the CPU; null where the platform does not tell them. */
function cpuIdOf(cpu: CpuIdentity): CpuId | null {
  const { vendor, family, model, stepping } = cpu;
  const { implementer, part } = cpu as { implementer?: unknown; part?: unknown };
  if (typeof implementer === "number" && typeof part === "number") {
    return { kind: "arm", implementer, part };
  }
  if (vendor === undefined || family === undefined || model === undefined) return null;
  return { kind: "x86", vendor, family, model, stepping: stepping ?? 0 };
}

const CONTAINERS = /^(kubernetes|docker|podman|lxc|containerd|apptainer|singularity|systemd|oci)/;

/** Whether a hypervisor lends the machine; WSL is lent all of its host, a container none. */
function isHypervisor(virtualization: string | null): boolean {
  const [outer] = virtualization?.split(" + ") ?? [];
  return outer !== undefined && outer !== "wsl" && !CONTAINERS.test(outer);
}

/** Two threads a core on x86, one elsewhere, where the topology is hidden. */
const coresOf = (host: Host, threads: number): number =>
  host.arch === "x64" ? Math.max(Math.ceil(threads / 2), 1) : threads;
