// RAPL through perf events: the kernel's PMU `power` keeps 64-bit counters, so none wraps, in steps
// of 2^-32 J (Linux arch/x86/events/rapl.c; perf_event_open(2)). Node cannot make the system call
// itself, so libc does, through the optional FFI package. A read takes some microseconds, on this
// thread, because the descriptor of an event cannot be opened by name.

import { parseCpuList } from "../../core/cpu-list.ts";
import type { Ffi, Host, NativeFunction } from "../../core/index.ts";
import { listIfPresent, readTextIfPresent } from "../../core/index.ts";
import {
  cpuIdentity,
  onePerCounter,
  type Processor,
  packageLimits,
  packageName,
  processorAt,
  type RaplDomain,
  type RaplSensor,
  raplSensor,
  withContents,
} from "./rapl.ts";
import type { Probe, SensorProvider } from "./sensor.ts";

const PMU = "/sys/bus/event_source/devices/power";

/** Number of perf_event_open by `process.arch` (Linux asm/unistd_64.h, asm/unistd_32.h, asm-generic). */
const SYSCALL: Readonly<Record<string, number>> = { x64: 298, ia32: 336, arm64: 241 };

/** PERF_ATTR_SIZE_VER0: type, size, config and the rest, all zero (linux/perf_event.h). */
const ATTRIBUTE_BYTES = 64;
/** The descriptor is not handed to the measured command. */
const PERF_FLAG_FD_CLOEXEC = 8;
/** Capabilities that allow to watch a whole processor (linux/capability.h). */
const CAP_SYS_ADMIN = 21n;
const CAP_PERFMON = 38n;

const DOMAIN_OF_EVENT: Readonly<Record<string, RaplDomain>> = {
  "energy-pkg": "package",
  "energy-cores": "core",
  "energy-gpu": "uncore",
  "energy-ram": "dram",
  "energy-psys": "psys",
};

interface PowerEvent {
  readonly name: string;
  readonly domain: RaplDomain;
  readonly config: bigint;
  /** Joules in one step. */
  readonly scale: number;
}

interface PerfCalls {
  /** The descriptor of an event on one processor, or -1. */
  open(type: number, config: bigint, cpu: number): number;
  /** The count of an event; throws when it cannot be read. */
  read(descriptor: number): bigint;
  close(descriptor: number): void;
}

/** Releases the descriptors that were opened for a host. */
const opened = new WeakMap<Host, () => void>();

export const raplPerf: SensorProvider = {
  name: "rapl-perf",
  description: "CPU and DRAM energy counters of Intel and AMD, perf events (Linux)",
  domains: ["cpu", "memory", "machine"],

  async probe(host): Promise<Probe> {
    const type = Number.parseInt((await readTextIfPresent(host, `${PMU}/type`)) ?? "", 10);
    if (Number.isNaN(type)) return { status: "absent", reason: `no ${PMU}` };
    const calls = await perfCalls(host);
    if (typeof calls === "string") return { status: "absent", reason: calls };
    const events = await powerEvents(host);
    const processors = await countingProcessors(host);
    if (events.length === 0 || processors.length === 0) {
      return { status: "absent", reason: `${PMU} lists no energy event or no processor` };
    }
    const descriptors: number[] = [];
    const missing: string[] = [];
    const limits = await packageLimits(host);
    const found = events.flatMap((event) =>
      processorsOf(event, processors).flatMap((processor): RaplSensor[] => {
        const descriptor = calls.open(type, event.config, processor.cpu);
        if (descriptor < 0) {
          missing.push(`${event.name} does not open on processor ${processor.cpu}`);
          return [];
        }
        descriptors.push(descriptor);
        const name = packageName(processor, processors);
        const limit = event.domain === "package" ? limits.get(name) : undefined;
        return [sensorOf(host, { event, descriptor, package: name, limit, calls })];
      }),
    );
    const sensors = withContents(found);
    if (sensors.length === 0) {
      for (const descriptor of descriptors) calls.close(descriptor);
      return refusal(host);
    }
    await raplPerf.close?.(host);
    opened.set(host, () => {
      for (const descriptor of descriptors) calls.close(descriptor);
    });
    return { status: "ready", sensors, missing };
  },

  async close(host) {
    opened.get(host)?.();
    opened.delete(host);
  },
};

/** The three functions of libc that are needed, or why there are none. */
async function perfCalls(host: Host): Promise<PerfCalls | string> {
  const number = SYSCALL[host.arch];
  if (number === undefined) return `perf_event_open is not known on ${host.arch}`;
  const ffi = await host.ffi();
  if (ffi === null) return "the optional package koffi is not installed: npm i koffi";
  try {
    return bindCalls(ffi, number);
  } catch (error) {
    return `libc does not load: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function bindCalls(ffi: Ffi, number: number): PerfCalls {
  // glibc and musl under the names that distributions give them.
  const libc = ffi.open(["libc.so.6", "libc.musl-x86_64.so.1", "libc.so"]);
  const call: NativeFunction = libc.bind(
    "long syscall(long number, void *attribute, long pid, long cpu, long group, long flags)",
  );
  const readBytes: NativeFunction = libc.bind("long read(int file, void *buffer, size_t count)");
  const close: NativeFunction = libc.bind("int close(int file)");
  return {
    open: (type, config, cpu) =>
      Number(call(number, perfAttribute(type, config), -1, cpu, -1, PERF_FLAG_FD_CLOEXEC)),
    read(descriptor) {
      const buffer = new Uint8Array(8);
      const length = Number(readBytes(descriptor, buffer, buffer.length));
      if (length !== buffer.length) throw new Error("the perf event of RAPL cannot be read");
      return new DataView(buffer.buffer).getBigUint64(0, true);
    },
    close: (descriptor) => {
      close(descriptor);
    },
  };
}

/** `struct perf_event_attr`, first version: type at 0, size at 4, config at 8. */
export function perfAttribute(type: number, config: bigint): Uint8Array {
  const bytes = new Uint8Array(ATTRIBUTE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, ATTRIBUTE_BYTES, true);
  view.setBigUint64(8, config, true);
  return bytes;
}

/** The energy events that the kernel lists, each with its step. */
async function powerEvents(host: Host): Promise<readonly PowerEvent[]> {
  const events: PowerEvent[] = [];
  for (const name of await listIfPresent(host, `${PMU}/events`)) {
    const domain = DOMAIN_OF_EVENT[name];
    if (domain === undefined) continue;
    const event = /event=(0x[0-9a-f]+|\d+)/i.exec(
      await host.readText(`${PMU}/events/${name}`),
    )?.[1];
    const unit = (await readTextIfPresent(host, `${PMU}/events/${name}.unit`))?.trim();
    const scale = Number(await readTextIfPresent(host, `${PMU}/events/${name}.scale`));
    if (event === undefined || unit !== "Joules" || !(scale > 0)) continue;
    events.push({ name, domain, config: BigInt(event), scale });
  }
  return events;
}

async function countingProcessors(host: Host): Promise<readonly Processor[]> {
  const cpus = parseCpuList((await readTextIfPresent(host, `${PMU}/cpumask`)) ?? "") ?? [];
  const { vendor } = await cpuIdentity(host);
  return onePerCounter(await Promise.all(cpus.map((cpu) => processorAt(host, cpu))), vendor);
}

/** The platform has one counter, however many sockets it has. */
function processorsOf(event: PowerEvent, all: readonly Processor[]): readonly Processor[] {
  return event.domain === "psys" ? all.slice(0, 1) : all;
}

function sensorOf(
  host: Host,
  parts: {
    readonly event: PowerEvent;
    readonly descriptor: number;
    readonly package: string;
    readonly limit: number | undefined;
    readonly calls: PerfCalls;
  },
): RaplSensor {
  const { event, descriptor, limit, calls } = parts;
  return raplSensor({
    provider: "rapl-perf",
    domain: event.domain,
    owner: event.domain === "psys" ? null : parts.package,
    source: `RAPL, perf event ${event.name}`,
    maxPower: limit,
    async read() {
      const value = Number(calls.read(descriptor)) * event.scale;
      return { at: host.monotonic(), value };
    },
  });
}

/** Why no event opened: the kernel's rule for events of a whole processor, else a container's. */
async function refusal(host: Host): Promise<Probe> {
  const file = "/proc/sys/kernel/perf_event_paranoid";
  const paranoid = Number.parseInt((await readTextIfPresent(host, file)) ?? "", 10);
  if (paranoid > 0 && !(await mayWatchProcessors(host))) {
    return {
      status: "denied",
      reason: `${file} is ${paranoid}: events of a whole processor need 0 or CAP_PERFMON`,
      remedy: [
        "until the next boot: sudo sysctl kernel.perf_event_paranoid=0",
        "for good: echo kernel.perf_event_paranoid=0 | sudo tee /etc/sysctl.d/60-perf.conf",
        "in a container: --cap-add PERFMON",
      ].join("\n"),
    };
  }
  return {
    status: "denied",
    reason: "the kernel refused perf_event_open; a container's seccomp profile may forbid it",
    remedy: "in a container: --cap-add PERFMON --security-opt seccomp=unconfined",
  };
}

async function mayWatchProcessors(host: Host): Promise<boolean> {
  const status = (await readTextIfPresent(host, "/proc/self/status")) ?? "";
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1];
  if (effective === undefined) return false;
  const capabilities = BigInt(`0x${effective}`);
  return [CAP_SYS_ADMIN, CAP_PERFMON].some((capability) => (capabilities >> capability) & 1n);
}
