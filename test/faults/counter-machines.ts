// Simulated machines whose processor and memory have counters or sensors of their own, one for each family.

import { model } from "../../src/measure/estimate/index.ts";
import { createSubjectCounter, type SubjectCounter } from "../../src/measure/run/cpu-time.ts";
import { intelMeter, windowsWith } from "../fake-emi.ts";
import type { FakeHost } from "../fake-host.ts";
import { type FakeChannel, macWith } from "../fake-ioreport.ts";
import type { Simulation } from "./fault.ts";
import {
  busy,
  CPU,
  desktop,
  type Late,
  load,
  MEMORY,
  now,
  powerOf,
  provider,
  recorded,
  secondsOf,
} from "./load.ts";

export const ZONE = "/sys/class/powercap/intel-rapl:0";
export const DRAM_ZONE = "/sys/class/powercap/intel-rapl:0:0";
/** Microjoules at which the package counter of the simulated desktop wraps: in the first minutes. */
export const RANGE_UJ = 262_143_328_850;

/** A desktop with RAPL by powercap; the model of its processor stands behind it. */
export function powercap(): Simulation {
  const host = desktop((late) => ({
    files: {
      [`${ZONE}/name`]: "package-0\n",
      [`${ZONE}/max_energy_range_uj`]: `${RANGE_UJ}\n`,
      [`${ZONE}/constraint_0_power_limit_uw`]: "65000000\n",
      [`${ZONE}/energy_uj`]: () => `${packageMicrojoules(now(late))}\n`,
      [`${DRAM_ZONE}/name`]: "dram\n",
      [`${DRAM_ZONE}/max_energy_range_uj`]: `${RANGE_UJ}\n`,
      [`${DRAM_ZONE}/energy_uj`]: () => `${dramMicrojoules(now(late))}\n`,
    },
  }));
  return {
    host,
    providers: [provider("rapl-powercap"), model],
    energy: { cpu: CPU, memory: MEMORY },
  };
}

/** The package counter: it wraps 900 J after the clock's zero, in the middle of every run. */
export const packageMicrojoules = (seconds: number): number =>
  Math.floor(CPU(seconds) * 1e6 + RANGE_UJ - 900e6) % RANGE_UJ;

const dramMicrojoules = (seconds: number): number => Math.floor(MEMORY(seconds) * 1e6 + 5e9);

/** A server whose RAPL is read by perf events, in steps of 2^-32 J, two sockets alike. */
export interface PerfState {
  /** Added to the count of an event by its key, `config@cpu`. */
  readonly counts: Record<string, (seconds: number) => bigint>;
}

export const perfStates = new WeakMap<FakeHost, PerfState>();

export function perf(): Simulation {
  const counted = (joules: number): bigint => BigInt(Math.floor(joules * 2 ** 20)) << 12n;
  const state: PerfState = {
    counts: {
      "2@0": (s) => counted(CPU(s) / 2 + 50),
      "2@1": (s) => counted(CPU(s) / 2 + 9000),
      "3@0": (s) => counted(MEMORY(s) / 2 + 10),
      "3@1": (s) => counted(MEMORY(s) / 2 + 7000),
    },
  };
  const opened: string[] = [];
  const host = recorded("xeon-two-sockets-dram", (late) => ({
    libraries: {
      "libc.so.6": {
        syscall(_number, attribute, _pid, cpu) {
          const view = new DataView((attribute as Uint8Array).buffer);
          const key = `${view.getBigUint64(8, true)}@${cpu}`;
          return key in state.counts ? 100 + opened.push(key) - 1 : -1;
        },
        read(descriptor, buffer) {
          const count = state.counts[opened[Number(descriptor) - 100] ?? ""];
          if (count === undefined) return -1;
          new DataView((buffer as Uint8Array).buffer).setBigUint64(0, count(now(late)), true);
          return 8;
        },
        close: () => 0,
      },
    },
  }));
  perfStates.set(host, state);
  return { host, providers: [provider("rapl-perf")], energy: { cpu: CPU, memory: MEMORY } };
}

/** Registers by address; a desktop without powercap, read as root. */
export type Registers = Map<number, (seconds: number) => bigint>;

export const registersOf = new WeakMap<FakeHost, Registers>();

export function msr(): Simulation {
  const host = desktop(() => ({ files: { "/dev/cpu/0/msr": "" } }));
  const registers: Registers = new Map<number, (seconds: number) => bigint>([
    [0x606, () => 0xa0e03n],
    // 32 bits in steps of 2^-14 J wrap every 262 kJ: here 500 J after the clock's zero.
    [0x611, (s) => BigInt(Math.floor((CPU(s) + 2 ** 18 - 500) * 2 ** 14)) & 0xffff_ffffn],
    [0x619, (s) => BigInt(Math.floor((MEMORY(s) + 3000) * 2 ** 14)) & 0xffff_ffffn],
  ]);
  registersOf.set(host, registers);
  host.openFile = async () => ({
    async read(offset) {
      const register = registers.get(offset);
      if (register === undefined) throw Object.assign(new Error("EIO"), { code: "EIO" });
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, register(secondsOf(host)), true);
      return bytes;
    },
    async close() {},
  });
  return { host, providers: [provider("rapl-msr"), model], energy: { cpu: CPU, memory: MEMORY } };
}

/** A line of /proc/PID/stat as far as it is read (proc_pid_stat(5)). */
export function statLine(of: {
  readonly pid: number;
  readonly parent: number;
  readonly start: number;
  readonly cpuSeconds?: number;
  readonly reapedSeconds?: number;
  readonly state?: string;
}): string {
  const fields = Array.from({ length: 50 }, () => "0");
  fields[0] = of.state ?? "R";
  fields[1] = String(of.parent);
  fields[11] = String(Math.round(100 * (of.cpuSeconds ?? 0)));
  fields[13] = String(Math.round(100 * (of.reapedSeconds ?? 0)));
  fields[19] = String(of.start);
  fields[21] = "1000";
  return `${of.pid} (work) ${fields.join(" ")}\n`;
}

/** What the kernel tells of this process: how it started, and from it the size of a page. */
export const SELF = {
  "/proc/self/status": "Name:\tnode\nVmRSS:\t4000 kB\n",
  "/proc/self/stat": statLine({ pid: 4242, parent: 1, start: 100 }),
  "/proc/4242/stat": statLine({ pid: 4242, parent: 1, start: 100 }),
} as const;

/** Process id of the command that is measured by `worker`. */
export const COMMAND = 5000;

/** CPU seconds of the command: half of the load. */
export const commandSeconds = (seconds: number): number => busy(seconds) / 2 - busy(1) / 2;

/** The desktop of `powercap`, whose command is a process of its own and half of the load. */
export function worker(): Simulation {
  const simulation = powercap();
  const { host } = simulation;
  for (const [path, text] of Object.entries(SELF)) host.files.set(path, text);
  host.files.set(`/proc/${COMMAND}/stat`, () =>
    statLine({
      pid: COMMAND,
      parent: 4242,
      start: 200,
      cpuSeconds: commandSeconds(secondsOf(host)),
    }),
  );
  return {
    ...simulation,
    cpuSeconds: commandSeconds,
    prepare: async () => {
      const counter = await createSubjectCounter({
        host,
        group: { status: "absent", reason: "no control group" },
        helperSeconds: () => 0,
      });
      counter.follow(COMMAND);
      counters.set(host, counter);
      return {
        subjectUse: () => counter.read(),
        cpuTime: { source: counter.source, fallbacks: counter.fallbacks },
      };
    },
  };
}

/** Counters of the commands of `worker`, to be asked once more at the end. */
export const counters = new WeakMap<FakeHost, SubjectCounter>();

export const AMD_ENERGY = "/sys/class/hwmon/hwmon3";

/** Two sockets of amd_energy, which count microjoules. */
export function amdEnergy(): Simulation {
  const host = recorded("epyc-amd-energy");
  const microjoules = (offset: number) => () =>
    `${Math.floor((CPU(secondsOf(host)) / 2) * 1e6 + offset)}\n`;
  host.files.set(`${AMD_ENERGY}/energy3_input`, microjoules(93e12));
  host.files.set(`${AMD_ENERGY}/energy4_input`, microjoules(88e12));
  return { host, providers: [provider("hwmon-cpu")], energy: { cpu: CPU } };
}

export const ZENPOWER = "/sys/class/hwmon/hwmon2";

/** A desktop whose processor power comes from its voltage regulator, in microwatts. */
export function zenpower(): Simulation {
  const host = desktop((late) => ({
    files: {
      [`${ZENPOWER}/name`]: "zenpower\n",
      [`${ZENPOWER}/power1_label`]: "SVI2_P_Core\n",
      [`${ZENPOWER}/power1_input`]: () => `${Math.round(powerOf(CPU, now(late)) * 1e6)}\n`,
    },
  }));
  return { host, providers: [provider("hwmon-cpu"), model], energy: { cpu: CPU, memory: MEMORY } };
}

export const meters = new WeakMap<FakeHost, ReturnType<typeof intelMeter>>();

/** Windows with a processor's and its memory's meter. */
export function energyMeter(): Simulation {
  const device = intelMeter();
  const late: Late = { host: null };
  const { files: _, facts: __, ...base } = load(late);
  const { host } = windowsWith({ "\\\\?\\EMI0": device }, base);
  late.host = host;
  const picowattHours = (joules: number): bigint => BigInt(Math.round(joules / 3.6e-9));
  Object.defineProperty(device, "energies", {
    configurable: true,
    get: () => {
      const s = secondsOf(host);
      return [picowattHours(CPU(s) + 18), picowattHours(MEMORY(s) + 2), 0n, 0n];
    },
  });
  Object.defineProperty(device, "time", { configurable: true, get: () => host.monotonic() / 100n });
  meters.set(host, device);
  return { host, providers: [provider("emi")], energy: { cpu: CPU, memory: MEMORY } };
}

export const channelsOf = new WeakMap<FakeHost, { cpu: FakeChannel; dram: FakeChannel }>();

/** Apple Silicon: processor and memory, published together. */
export function appleSilicon(): Simulation {
  const cpu: FakeChannel = { name: "CPU Energy", unit: "mJ", count: 0 };
  const dram: FakeChannel = { name: "DRAM0", unit: "mJ", count: 0 };
  const late: Late = { host: null };
  const { files: _, facts: __, ...base } = load(late);
  const { host } = macWith([cpu, dram], base);
  late.host = host;
  for (const [channel, energy] of [
    [cpu, CPU],
    [dram, MEMORY],
  ] as const) {
    Object.defineProperty(channel, "count", {
      configurable: true,
      get: () => Math.round(energy(secondsOf(host)) * 1000) + 5000,
    });
  }
  channelsOf.set(host, { cpu, dram });
  return { host, providers: [provider("ioreport")], energy: { cpu: CPU, memory: MEMORY } };
}
