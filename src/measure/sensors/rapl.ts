// What the three roads to Intel's and AMD's RAPL counters have in common: the names of the domains,
// what contains what, how well they are known, and who may read them.

import type { Host } from "../../core/index.ts";
import { listIfPresent, readTextIfPresent } from "../../core/index.ts";
import type { Domain, Sensor } from "./sensor.ts";

/**
 * A RAPL domain. `package`: a socket, or a die of one. `core` and `uncore` (the integrated GPU) are
 * inside their package, `dram` is beside it, `psys` is the platform that contains them all.
 */
export type RaplDomain = "package" | "core" | "uncore" | "dram" | "psys";

/** Seconds between updates of the counters (Linux Documentation/hwmon/amd_energy.rst; Intel alike). */
const RAPL_UPDATE_PERIOD = 0.001;

const RAPL_DOMAIN_OF: Readonly<Record<RaplDomain, Domain>> = {
  package: "cpu",
  core: "cpu",
  uncore: "cpu",
  dram: "memory",
  psys: "machine",
};

/**
 * Relative errors, in part our assumption: see docs/methods/sensor-ladder.md. Package counters follow
 * an external meter closely since Haswell and dram ones keep its trend with a constant offset
 * (Desrochers, Paradis, Weaver, MEMSYS 2016); what psys covers is up to the board.
 */
const RAPL_ERROR: Readonly<Record<RaplDomain, number>> = {
  package: 0.03,
  core: 0.03,
  uncore: 0.03,
  dram: 0.1,
  psys: 0.1,
};

/** Why the kernel refuses, and what the processor's maker says of it. */
export const RAPL_DENIED_REASON =
  "the kernel keeps RAPL counters for root since CVE-2020-8694 (they leak what code computes)";

/** A sensor without its `contains`, and the domain that decides it. */
export interface RaplSensor {
  readonly sensor: Sensor;
  readonly domain: RaplDomain;
  /** The package it belongs to: `package-0`. Null for psys. */
  readonly package: string | null;
}

/** What tells one counter from another; the rest is the same on all roads to it. */
interface RaplCounter {
  readonly provider: string;
  readonly domain: RaplDomain;
  /** The package it belongs to; null for psys. */
  readonly owner: string | null;
  /** In the id, before the device, where two roads of one provider lead to the same counter. */
  readonly road?: string;
  readonly source: string;
  /** Joules at which it starts again from zero. */
  readonly range?: number | undefined;
  /** Highest power believed, watts. */
  readonly maxPower?: number | undefined;
  readonly read: Sensor["read"];
}

/** The sensor of a counter. The same domain occurs once a package, so a part is named with its own. */
export function raplSensor(of: RaplCounter): RaplSensor {
  const { provider, domain, owner, road = "", source, range, maxPower, read } = of;
  const device = owner === null ? domain : domain === "package" ? owner : `${owner}/${domain}`;
  return {
    domain,
    package: owner,
    sensor: {
      ...{ id: `${provider}:${road}${device}`, provider, device, source, read },
      domain: RAPL_DOMAIN_OF[domain],
      scope: "component",
      kind: "counter",
      method: "measured",
      error: RAPL_ERROR[domain],
      updatePeriod: RAPL_UPDATE_PERIOD,
      ...(range === undefined ? {} : { range }),
      ...(maxPower === undefined ? {} : { maxPower }),
    },
  };
}

/**
 * The sensors, each with what it contains. Cores without their package are left out: counted alone
 * they would pass for the whole processor.
 */
export function withContents(found: readonly RaplSensor[]): readonly Sensor[] {
  const packages = new Set(
    found.filter(({ domain }) => domain === "package").map((one) => one.package),
  );
  const whole = found.filter(
    ({ domain, package: owner }) =>
      (domain !== "core" && domain !== "uncore") || packages.has(owner),
  );
  return whole.map(({ sensor, domain, package: owner }) => {
    const inside = whole.filter((other) =>
      domain === "psys"
        ? other.domain !== "psys"
        : domain === "package" &&
          other.package === owner &&
          (other.domain === "core" || other.domain === "uncore"),
    );
    return inside.length === 0
      ? sensor
      : { ...sensor, contains: inside.map((other) => other.sensor.id) };
  });
}

/** A logical processor, its socket and its die, as the kernel numbers them. */
export interface Processor {
  readonly cpu: number;
  readonly socket: number;
  readonly die: number;
}

/** Where a logical processor sits; socket 0, die 0 when the kernel does not tell. */
export async function processorAt(host: Host, cpu: number): Promise<Processor> {
  const topology = `/sys/devices/system/cpu/cpu${cpu}/topology`;
  const number = async (name: string): Promise<number> => {
    const value = Number.parseInt((await readTextIfPresent(host, `${topology}/${name}`)) ?? "", 10);
    // A kernel that does not know writes -1.
    return Number.isNaN(value) ? 0 : Math.max(0, value);
  };
  return { cpu, socket: await number("physical_package_id"), die: await number("die_id") };
}

/**
 * One processor for each counter of its own: a socket on AMD and Hygon, whose dies all show the
 * socket's counter (Linux arch/x86/events/rapl.c, "RAPL Package energy counter scope"), a die on Intel.
 */
export function onePerCounter(
  processors: readonly Processor[],
  vendor: string,
): readonly Processor[] {
  const perSocket = vendor !== "GenuineIntel";
  const first = new Map<string, Processor>();
  for (const processor of processors) {
    const key = perSocket ? `${processor.socket}` : `${processor.socket}/${processor.die}`;
    if (!first.has(key)) first.set(key, processor);
  }
  return [...first.values()];
}

/** The kernel's name of a processor's package among all: the die only where there are several. */
export function packageName(one: Processor, all: readonly Processor[]): string {
  const dies = all.filter((other) => other.socket === one.socket).length;
  return dies > 1 ? `package-${one.socket}-die-${one.die}` : `package-${one.socket}`;
}

/** Vendor, family and model of the first processor in /proc/cpuinfo. */
export interface CpuIdentity {
  readonly vendor: string;
  readonly family: number;
  readonly model: number;
}

/** Who made the processor; empty and zero when /proc/cpuinfo does not say. */
export async function cpuIdentity(host: Host): Promise<CpuIdentity> {
  const text = (await readTextIfPresent(host, "/proc/cpuinfo")) ?? "";
  const field = (name: string): string =>
    new RegExp(`^${name}\\s*:\\s*(.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
  return {
    vendor: field("vendor_id"),
    family: Number(field("cpu family")),
    model: Number(field("model")),
  };
}

const POWERCAP = "/sys/class/powercap";
/** Watts. A limit above is a firmware's way to say that there is none. */
const NO_LIMIT = 2000;

/** Highest power limit of a powercap zone in watts; undefined when none is set. Anyone may read it. */
export async function powerLimit(host: Host, zone: string): Promise<number | undefined> {
  const limits: number[] = [];
  for (const name of await listIfPresent(host, `${POWERCAP}/${zone}`)) {
    if (!/^constraint_\d+_(power_limit|max_power)_uw$/.test(name)) continue;
    const text = await host.readText(`${POWERCAP}/${zone}/${name}`).catch(() => "");
    limits.push(Number.parseInt(text, 10) / 1e6);
  }
  const believed = limits.filter((limit) => limit > 0 && limit <= NO_LIMIT);
  return believed.length === 0 ? undefined : Math.max(...believed);
}

/** Power limits by package name, for the roads to RAPL that know none themselves. */
export async function packageLimits(host: Host): Promise<ReadonlyMap<string, number>> {
  const limits = new Map<string, number>();
  for (const zone of await listIfPresent(host, POWERCAP)) {
    if (!/^intel-rapl:\d+$/.test(zone)) continue;
    const name = (await readTextIfPresent(host, `${POWERCAP}/${zone}/name`))?.trim() ?? "";
    const limit = await powerLimit(host, zone);
    if (limit !== undefined) limits.set(name, limit);
  }
  return limits;
}
