// RAPL straight from the model-specific registers, /dev/cpu/N/msr: the last road to these counters,
// for kernels without powercap and perf (Intel SDM vol. 3B "Platform Specific Power Management
// Support" and vol. 4; AMD PPR family 17h, MSRC001_0299 and MSRC001_029B). Registers are 32 bits wide and wrap within minutes.

import type { Host, RandomAccessFile } from "../../core/index.ts";
import { hostErrorCode, listIfPresent, reasonOf } from "../../core/index.ts";
import {
  type CpuIdentity,
  cpuIdentity,
  onePerCounter,
  packageLimits,
  packageName,
  processorAt,
  type RaplDomain,
  type RaplSensor,
  raplSensor,
  withContents,
} from "./rapl.ts";
import type { Probe, SensorProvider } from "./sensor.ts";

const DEVICES = "/dev/cpu";

/** Registers of a vendor: where the energy unit is, and the counters. */
interface RegisterMap {
  readonly unit: number;
  readonly counters: readonly (readonly [RaplDomain, number])[];
}

const INTEL: RegisterMap = {
  unit: 0x606,
  counters: [
    ["package", 0x611],
    ["dram", 0x619],
    ["core", 0x639],
    ["psys", 0x64d],
  ],
};
/** AMD counts each core besides, inside the package; it has no counter of memory. */
const AMD: RegisterMap = { unit: 0xc0010299, counters: [["package", 0xc001029b]] };

/**
 * Intel family 6 models whose dram counter has a unit of its own, 2^-16 J = 15.3 uJ, whatever the
 * unit register says: Haswell, Broadwell, Skylake and Ice Lake servers, Xeon Phi (datasheet
 * 330784-001 of the Xeon E5 v3; Linux arch/x86/events/rapl.c, RAPL_UNIT_QUIRK_INTEL_HSW). Sapphire
 * Rapids follows the register again (Linux commit 4c081324df56).
 */
const DRAM_UNIT_FIXED: ReadonlySet<number> = new Set([
  0x3f, 0x4f, 0x56, 0x55, 0x6a, 0x6c, 0x57, 0x85,
]);
/** Sapphire and Emerald Rapids count psys in whole joules (same file, RAPL_UNIT_QUIRK_INTEL_SPR). */
const PSYS_UNIT_FIXED: ReadonlySet<number> = new Set([0x8f, 0xcf]);

/** Descriptors that were opened for a host. */
const opened = new WeakMap<Host, RandomAccessFile[]>();

export const raplMsr: SensorProvider = {
  name: "rapl-msr",
  description: "CPU and DRAM energy counters of Intel and AMD, /dev/cpu/N/msr (Linux, root)",
  domains: ["cpu", "memory", "machine"],

  async probe(host): Promise<Probe> {
    const identity = await cpuIdentity(host);
    const map = registersOf(identity);
    if (map === null)
      return { status: "absent", reason: "not an Intel or AMD processor with RAPL" };
    const cpus = (await listIfPresent(host, DEVICES)).filter((name) => /^\d+$/.test(name));
    if (cpus.length === 0) return { status: "absent", reason: NO_DEVICE };
    const all = await Promise.all(cpus.map((cpu) => processorAt(host, Number(cpu))));
    const processors = onePerCounter(all, identity.vendor);
    const limits = await packageLimits(host);
    const found: RaplSensor[] = [];
    const missing: string[] = [];
    await raplMsr.close?.(host);
    const files: RandomAccessFile[] = [];
    opened.set(host, files);
    for (const processor of processors) {
      const name = packageName(processor, processors);
      try {
        const file = await host.openFile(`${DEVICES}/${processor.cpu}/msr`);
        files.push(file);
        const known = { identity, map, name, limit: limits.get(name) };
        found.push(...(await countersOf(host, file, known)));
      } catch (error) {
        if (found.length === 0) return refusal(error);
        missing.push(`${name}: ${reasonOf(error)}`);
      }
    }
    const sensors = withContents(
      found.filter((one, index) => one.domain !== "psys" || isFirst(found, index)),
    );
    if (sensors.length > 0) return { status: "ready", sensors, missing };
    return { status: "absent", reason: "the RAPL registers do not count on this machine" };
  },

  async close(host) {
    for (const file of opened.get(host) ?? []) await file.close();
    opened.delete(host);
  },
};

const NO_DEVICE = `no ${DEVICES}/N/msr (the module may be missing: sudo modprobe msr)`;

function registersOf({ vendor, family }: CpuIdentity): RegisterMap | null {
  if (vendor === "GenuineIntel" && family >= 6) return INTEL;
  if (vendor === "AuthenticAMD" && family >= 0x17) return AMD;
  return vendor === "HygonGenuine" && family >= 0x18 ? AMD : null;
}

const isFirst = (found: readonly RaplSensor[], index: number): boolean =>
  found.findIndex((one) => one.domain === found[index]?.domain) === index;

/**
 * Joules in one step of a counter. Bits 12:8 of the unit register are the exponent, in both vendors'
 * layouts: a step is 2^-exponent J.
 */
export function energyUnit(
  unitRegister: bigint,
  domain: RaplDomain,
  identity: CpuIdentity,
): number {
  const intel = identity.vendor === "GenuineIntel" && identity.family === 6;
  if (intel && domain === "dram" && DRAM_UNIT_FIXED.has(identity.model)) return 2 ** -16;
  if (intel && domain === "psys" && PSYS_UNIT_FIXED.has(identity.model)) return 1;
  return 2 ** -Number((unitRegister >> 8n) & 0x1fn);
}

interface KnownPackage {
  readonly identity: CpuIdentity;
  readonly map: RegisterMap;
  /** `package-0`. */
  readonly name: string;
  readonly limit: number | undefined;
}

async function countersOf(
  host: Host,
  file: RandomAccessFile,
  known: KnownPackage,
): Promise<readonly RaplSensor[]> {
  const { map, identity } = known;
  const unitRegister = await register(file, map.unit);
  const found: RaplSensor[] = [];
  for (const [domain, address] of map.counters) {
    const raw = await register(file, address).catch(() => 0n);
    // A domain that the processor does not have faults, or reads zero for ever.
    if ((raw & 0xffff_ffffn) === 0n) continue;
    const unit = energyUnit(unitRegister, domain, identity);
    found.push(sensorOf(host, { file, domain, address, unit, known }));
  }
  return found;
}

async function register(file: RandomAccessFile, address: number): Promise<bigint> {
  const bytes = await file.read(address, 8);
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
}

function sensorOf(
  host: Host,
  parts: {
    readonly file: RandomAccessFile;
    readonly domain: RaplDomain;
    readonly address: number;
    readonly unit: number;
    readonly known: KnownPackage;
  },
): RaplSensor {
  const { file, domain, address, unit, known } = parts;
  return raplSensor({
    ...{ provider: "rapl-msr", domain, owner: domain === "psys" ? null : known.name },
    source: `RAPL ${domain}, MSR 0x${address.toString(16)}`,
    range: 2 ** 32 * unit,
    maxPower: domain === "package" ? known.limit : undefined,
    async read() {
      const raw = (await register(file, address)) & 0xffff_ffffn;
      return { at: host.monotonic(), value: Number(raw) * unit };
    },
  });
}

function refusal(error: unknown): Probe {
  const code = hostErrorCode(error);
  if (code === "ENOENT" || code === "ENXIO") return { status: "absent", reason: NO_DEVICE };
  if (code === "EACCES" || code === "EPERM") {
    return {
      status: "denied",
      reason: "model-specific registers are for root, and for no one under kernel lockdown",
      remedy: "run as root, or give node CAP_SYS_RAWIO and read access to /dev/cpu/*/msr",
    };
  }
  return { status: "absent", reason: `the RAPL registers do not answer: ${reasonOf(error)}` };
}
