// Which processor this is: vendor, family, model and stepping as CPUID tells them, the parts of an
// ARM core, and how many sockets, cores and threads there are. The brand text is for people; models
// of power go by the numbers, since clouds shorten the brand to "AMD EPYC".

import type { Machine } from "../../core/card.ts";
import { parseCpuList } from "../../core/cpu-list.ts";
import type { Host } from "../../core/index.ts";
import { readTextIfPresent } from "../../core/index.ts";
import { armCore, armVendor } from "./arm-cores.ts";

export type CpuIdentity = Machine["cpu"];

const SYSTEM_CPU = "/sys/devices/system/cpu";

/** Milliseconds that a helper program may take. */
const TIMEOUT = 2000;

/** The processor of a machine; what no source tells is left out. */
export async function identifyCpu(host: Host): Promise<CpuIdentity> {
  const fallback: CpuIdentity = { name: host.facts.cpuName, threads: host.facts.threads };
  switch (host.platform) {
    case "linux":
      return await linuxCpu(host, fallback);
    case "darwin":
      return await macCpu(host, fallback);
    case "win32":
      return windowsCpu(host, fallback);
    default:
      return fallback;
  }
}

async function linuxCpu(host: Host, fallback: CpuIdentity): Promise<CpuIdentity> {
  const text = await readTextIfPresent(host, "/proc/cpuinfo").catch(() => null);
  const identity = text === null ? fallback : { ...fallback, ...cpuOfCpuinfo(text) };
  return { ...identity, ...(await topologyOf(host)) };
}

/** One processor's block of /proc/cpuinfo. */
type Block = ReadonlyMap<string, string>;

/** What /proc/cpuinfo tells; exported for tests on recorded files. */
export function cpuOfCpuinfo(text: string): Partial<CpuIdentity> {
  const blocks: readonly Block[] = text
    .split(/\n\s*\n/)
    .map(
      (block) =>
        new Map(
          [...block.matchAll(/^([^:\n]+?)[ \t]*:[ \t]*(.*)$/gm)].map(([, key = "", value = ""]) => [
            key,
            value.trim(),
          ]),
        ),
    );
  const processors = blocks.filter((block) => block.has("processor"));
  const threads = processors.length > 0 ? { threads: processors.length } : {};
  const arm = blocks.filter((block) => block.has("CPU implementer"));
  if (arm.length > 0) return { ...threads, ...armIdentity(arm, modelName(blocks)) };
  const [first] = processors;
  if (first === undefined) return threads;
  return {
    ...threads,
    ...textField("name", modelName(blocks)),
    ...textField("vendor", first.get("vendor_id")),
    ...integerField("family", first.get("cpu family")),
    ...integerField("model", first.get("model")),
    ...integerField("stepping", first.get("stepping")),
    ...countsOf(processors),
  };
}

const modelName = (blocks: readonly Block[]): string | undefined =>
  blocks.map((block) => block.get("model name")).find((name) => name !== undefined);

/** Sockets and cores of x86 blocks; virtual machines without `physical id` tell neither. */
function countsOf(blocks: readonly Block[]): Partial<CpuIdentity> {
  const sockets = new Set<string>();
  const cores = new Set<string>();
  for (const block of blocks) {
    const socket = block.get("physical id");
    const core = block.get("core id");
    if (socket === undefined || core === undefined) return {};
    sockets.add(socket);
    cores.add(`${socket}:${core}`);
  }
  return { sockets: sockets.size, cores: cores.size };
}

/**
 * Cores of one chip may differ (big.LITTLE); the numbers are those of the most numerous kind, the
 * name lists all. `model` is the part and `stepping` the revision; the four parts stand beside.
 */
function armIdentity(blocks: readonly Block[], brand: string | undefined): Partial<CpuIdentity> {
  const kinds = new Map<string, { readonly block: Block; readonly count: number }>();
  for (const block of blocks) {
    const key = ["CPU implementer", "CPU part", "CPU variant", "CPU revision"]
      .map((name) => block.get(name))
      .join();
    kinds.set(key, { block, count: (kinds.get(key)?.count ?? 0) + 1 });
  }
  const [most] = [...kinds.values()].sort((a, b) => b.count - a.count);
  if (most === undefined) return {};
  const of = (block: Block, key: string): number => Number(block.get(key) ?? Number.NaN);
  const implementer = of(most.block, "CPU implementer");
  const part = of(most.block, "CPU part");
  const names = new Set(
    [...kinds.values()].map(({ block }) =>
      armCore(of(block, "CPU implementer"), of(block, "CPU part")),
    ),
  );
  return {
    name: brand ?? [...names].join(" + "),
    vendor: armVendor(implementer),
    ...integerField("family", most.block.get("CPU architecture")),
    model: part,
    ...integerField("stepping", most.block.get("CPU revision")),
    implementer,
    part,
    ...integerField("variant", most.block.get("CPU variant")),
    ...integerField("revision", most.block.get("CPU revision")),
  };
}

/** Sockets, cores and threads in sysfs, which knows them on every architecture. */
async function topologyOf(host: Host): Promise<Partial<CpuIdentity>> {
  const read = (path: string): Promise<string | null> =>
    readTextIfPresent(host, `${SYSTEM_CPU}/${path}`).catch(() => null);
  const online = parseCpuList((await read("online")) ?? "");
  if (online === null || online.length === 0) return {};
  const places = await Promise.all(
    online.map(async (cpu) => ({
      socket: (await read(`cpu${cpu}/topology/physical_package_id`))?.trim(),
      // `core_cpus_list` since Linux 5.3; before, the same list had the other name.
      core:
        (await read(`cpu${cpu}/topology/core_cpus_list`)) ??
        (await read(`cpu${cpu}/topology/thread_siblings_list`)),
    })),
  );
  const threads = online.length;
  if (places.some(({ core }) => core === null)) return { threads };
  const cores = new Set(places.map(({ core }) => core)).size;
  // -1 stands for a platform that does not tell.
  if (places.some(({ socket }) => socket === undefined || socket === "-1")) {
    return { threads, cores };
  }
  return { threads, cores, sockets: new Set(places.map(({ socket }) => socket)).size };
}

async function macCpu(host: Host, fallback: CpuIdentity): Promise<CpuIdentity> {
  const names = ["brand_string", "vendor", "family", "model", "stepping"];
  const keys = [...names.map((name) => `machdep.cpu.${name}`), "hw.packages", "hw.physicalcpu"];
  try {
    // An unknown key, as `vendor` on Apple Silicon, is a complaint beside the other answers.
    const { stdout } = await host.run("sysctl", [...keys, "hw.logicalcpu"], { timeout: TIMEOUT });
    const get = (key: string): string | undefined =>
      new RegExp(`^${key.replaceAll(".", "\\.")}: (.*)$`, "m").exec(stdout)?.[1];
    return {
      ...fallback,
      ...textField("name", get("machdep.cpu.brand_string")),
      ...textField(
        "vendor",
        get("machdep.cpu.vendor") ?? (host.arch === "arm64" ? "Apple" : undefined),
      ),
      ...integerField("family", get("machdep.cpu.family")),
      ...integerField("model", get("machdep.cpu.model")),
      ...integerField("stepping", get("machdep.cpu.stepping")),
      ...integerField("sockets", get("hw.packages")),
      ...integerField("cores", get("hw.physicalcpu")),
      ...integerField("threads", get("hw.logicalcpu")),
    };
  } catch {
    return fallback;
  }
}

/** `Intel64 Family 6 Model 158 Stepping 10, GenuineIntel`, which Windows sets for every process. */
function windowsCpu(host: Host, fallback: CpuIdentity): CpuIdentity {
  const identifier = host.env["PROCESSOR_IDENTIFIER"] ?? "";
  const match = /Family (\d+) Model (\d+) (?:Stepping|Revision) ([\dA-Fa-f]+), (.+)$/.exec(
    identifier,
  );
  if (match === null) return fallback;
  const [, family, model, stepping, vendor] = match;
  return {
    ...fallback,
    ...textField("vendor", vendor?.trim()),
    ...integerField("family", family),
    ...integerField("model", model),
    ...integerField("stepping", stepping),
  };
}

/** A field that is left out when its text is missing or empty. */
const textField = <K extends string>(
  key: K,
  value: string | undefined,
): Partial<Record<K, string>> =>
  value === undefined || value === "" ? {} : ({ [key]: value } as Record<K, string>);

/** A field that is left out when its text is no whole number, decimal or hexadecimal. */
const integerField = <K extends string>(
  key: K,
  value: string | undefined,
): Partial<Record<K, number>> => {
  const number = value === undefined || value === "" ? Number.NaN : Number(value);
  return Number.isInteger(number) ? ({ [key]: number } as Record<K, number>) : {};
};
