// Simulated machines, one for each family of sensors, under one load: quiet, twenty seconds of work from
// second 20 of the clock, quiet again. What each domain truly uses is a function of time.

import type { Host } from "../../src/core/index.ts";
import { model } from "../../src/measure/estimate/index.ts";
import { createSubjectCounter, type SubjectCounter } from "../../src/measure/run/cpu-time.ts";
import { providers, type SensorProvider } from "../../src/measure/sensors/index.ts";
import { intelMeter, windowsWith } from "../fake-emi.ts";
import { createFakeHost, type FakeHost, type FakeMachine, loadMachine } from "../fake-host.ts";
import { type FakeChannel, macWith } from "../fake-ioreport.ts";
import { type FakeGpu, fakeNvml, NVIDIA_FILES } from "../fake-nvml.ts";
import type { Simulation } from "./fault.ts";

/** The provider of a name, as every run has it. */
function provider(name: string): SensorProvider {
  const found = providers.find((candidate) => candidate.name === name);
  if (found === undefined) throw new RangeError(`no provider is called ${name}`);
  return found;
}

/** Energy of something that draws `low` watts, and `high` between seconds 20 and 40 of the clock. */
const drawing =
  (low: number, high: number) =>
  (seconds: number): number =>
    low * seconds + (high - low) * Math.min(Math.max(seconds - 20, 0), 20);

const powerOf = (energy: (seconds: number) => number, seconds: number): number =>
  (energy(seconds + 0.005) - energy(seconds - 0.005)) / 0.01;

/** Seconds of the host's monotonic clock. */
export const secondsOf = (host: Host): number => Number(host.monotonic()) / 1e9;

const THREADS = 8;
/** Processors in use: 2 of 8, then 6. */
const busy = drawing(2, 6);

/**
 * Within what a processor of 65 W does at a quarter and at three quarters of its load
 * (docs/methods/power-model.md), a tenth above the model.
 */
export const CPU = drawing(25, 42);
const MEMORY = drawing(4, 4);
export const GPU = drawing(80, 240);
export const WALL = drawing(60, 95);

/** Four cores of two threads each. */
const CPUINFO = Array.from({ length: THREADS }, (_, cpu) =>
  [
    `processor\t: ${cpu}`,
    "vendor_id\t: GenuineIntel",
    "cpu family\t: 6",
    "model\t\t: 158",
    "model name\t: Intel(R) Core(TM) i7-8700 CPU @ 3.20GHz",
    "stepping\t: 10",
    "physical id\t: 0",
    `core id\t\t: ${cpu % (THREADS / 2)}`,
    "",
  ].join("\n"),
).join("\n");

/** The clock of a host that is still being made. */
interface Late {
  host: FakeHost | null;
}

const now = (late: Late): number => (late.host === null ? 1 : secondsOf(late.host));

/** What the kernel and Node tell of the load, which is all this process's. */
function load(late: Late): FakeMachine {
  const ticks = (): number => Math.round(100 * busy(now(late)));
  const processors = Array.from({ length: THREADS }, (_, cpu) => `cpu${cpu} 0 0 0 0 0 0 0 0 0 0`);
  return {
    files: {
      "/proc/cpuinfo": CPUINFO,
      "/proc/stat": () => [`cpu  ${ticks()} 0 0 0 0 0 0 0 0 0`, ...processors, ""].join("\n"),
    },
    cpuTimes: () => ({ busyS: busy(now(late)), idleS: 0 }),
    ownUsage: () => ({ cpuS: busy(now(late)), rssBytes: 8e9 }),
    facts: { cpuName: "Intel(R) Core(TM) i7-8700 CPU @ 3.20GHz", threads: THREADS },
  };
}

/** A desktop under the load, with what else it has. */
function desktop(also: (late: Late) => FakeMachine = () => ({})): FakeHost {
  const late: Late = { host: null };
  const base = load(late);
  const more = also(late);
  late.host = createFakeHost({
    ...base,
    ...more,
    files: { ...base.files, ...more.files },
    facts: { ...base.facts, ...more.facts },
  });
  return late.host;
}

/** A recorded machine under the load. */
function recorded(name: string, also: (late: Late) => FakeMachine = () => ({})): FakeHost {
  const late: Late = { host: null };
  const { files: _, facts: __, ...base } = load(late);
  late.host = loadMachine(name, { ...base, ...also(late) });
  return late.host;
}

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

export const BATTERY = "/sys/class/power_supply/BAT0";
export const MAINS = "/sys/class/power_supply/AC/online";

/** A laptop on its battery, whose gauge tells power. */
export function batteryPower(): Simulation {
  const host = recorded("laptop-battery");
  host.files.set(
    `${BATTERY}/power_now`,
    () => `${Math.round(powerOf(WALL, secondsOf(host)) * 1e6)}\n`,
  );
  return { host, providers: [provider("battery")], energy: { machine: WALL } };
}

/** The same, where the gauge tells only what is left: 42 Wh at the clock's zero, in microwatt-hours. */
export function batteryLeft(): Simulation {
  const host = recorded("laptop-battery");
  host.files.delete(`${BATTERY}/power_now`);
  host.files.set(
    `${BATTERY}/energy_now`,
    () => `${Math.round(42e6 - WALL(secondsOf(host)) / 3600e-6)}\n`,
  );
  return { host, providers: [provider("battery")], energy: { machine: WALL } };
}

export const ACPI = "/sys/class/hwmon/hwmon1/power1_average";

/** A server's chassis meter. */
export function acpi(): Simulation {
  const host = recorded("server-acpi-meter");
  host.files.set(ACPI, () => `${Math.round(powerOf(WALL, secondsOf(host)) * 1e6)}\n`);
  return { host, providers: [provider("acpi-meter")], energy: { machine: WALL } };
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

/** What the management controller answers; replaced by faults. */
export interface Controller {
  answer: () => { stdout?: string; stderr?: string; code?: number };
}

export const controllers = new WeakMap<FakeHost, Controller>();

/** The format of lib/ipmi_dcmi.c of ipmitool 1.8. */
export const dcmi = (watts: string, state = "activated"): string =>
  [
    `    Instantaneous power reading:                   ${watts}`,
    "    Sampling period:                          00000001 Seconds.",
    `    Power reading state is:                   ${state}`,
    "",
  ].join("\n");

/** A server with a management controller. */
export function managed(): Simulation {
  const controller: Controller = {
    answer: () => ({ stdout: dcmi(`${Math.round(powerOf(WALL, secondsOf(host)))} Watts`) }),
  };
  const host: FakeHost = desktop(() => ({
    files: { "/dev/ipmi0": "" },
    commands: { ipmitool: () => controller.answer() },
  }));
  controllers.set(host, controller);
  return { host, providers: [provider("ipmi")], energy: { machine: WALL } };
}

/** What a server on the network answers; replaced by faults. */
export interface Service {
  answer: (path: string) => { status: number; headers: Record<string, string>; body: string };
}

export const services = new WeakMap<FakeHost, Service>();

export const said = (body: unknown, status = 200): ReturnType<Service["answer"]> => ({
  status,
  headers: {},
  body: typeof body === "string" ? body : JSON.stringify(body),
});

const CHASSIS = "/redfish/v1/Chassis";

/** A server asked by Redfish. */
export function redfishServer(): Simulation {
  const service: Service = {
    answer: (path) => {
      if (path === CHASSIS) return said({ Members: [{ "@odata.id": `${CHASSIS}/1U` }] });
      if (path === `${CHASSIS}/1U`) {
        return said({ EnvironmentMetrics: { "@odata.id": `${CHASSIS}/1U/EnvironmentMetrics` } });
      }
      return said({ PowerWatts: { Reading: powerOf(WALL, secondsOf(host)) } });
    },
  };
  const host: FakeHost = desktop(() => ({
    env: { GODWIT_REDFISH_URL: "https://bmc.example" },
    http: (url) => service.answer(new URL(url).pathname),
  }));
  services.set(host, service);
  return { host, providers: [provider("redfish")], energy: { machine: WALL } };
}

/** A machine behind a smart plug, with a RAPL counter inside. */
export function plugged(): Simulation {
  const service: Service = {
    answer: () => said({ apower: powerOf(WALL, secondsOf(host)) }),
  };
  const { files = {} } = insideMachine(() => secondsOf(host));
  const host: FakeHost = desktop(() => ({
    files,
    env: { GODWIT_METER: "http://plug.example/rpc/Switch.GetStatus?id=0" },
    http: (url) => service.answer(new URL(url).pathname),
  }));
  services.set(host, service);
  return {
    host,
    providers: [provider("external-meter"), provider("rapl-powercap")],
    energy: { machine: WALL },
  };
}

const insideMachine = (seconds: () => number): FakeMachine => ({
  files: {
    [`${ZONE}/name`]: "package-0\n",
    [`${ZONE}/max_energy_range_uj`]: `${RANGE_UJ}\n`,
    [`${ZONE}/energy_uj`]: () => `${Math.floor(CPU(seconds()) * 1e6)}\n`,
  },
});

export const METER_FILE = "/var/log/meter.csv";

/** A machine whose wall meter appends a line a second to a file. */
export function logged(): Simulation {
  const host: FakeHost = desktop(() => ({
    env: { GODWIT_METER: METER_FILE },
    files: {
      [METER_FILE]: () =>
        `${Math.floor(host.wall() / 1000)},${powerOf(WALL, Math.floor(secondsOf(host))).toFixed(1)}\n`,
    },
  }));
  return { host, providers: [provider("external-meter")], energy: { machine: WALL } };
}

/** This process alone is on the GPU; its id is that of every fake host. */
const OWN = [{ pid: 4242, memory: 2n ** 30n }];

export const gpus = new WeakMap<FakeHost, FakeGpu>();

/** A GPU with an energy counter. */
export const gpuCounter = (): Simulation => nvidia("counter");
/** A GPU that tells its power alone. */
export const gpuPower = (): Simulation => nvidia("power");

function nvidia(kind: "counter" | "power"): Simulation {
  const gpu: FakeGpu = { uuid: "GPU-1", name: "NVIDIA L4", limit: 300_000, processes: OWN };
  const host: FakeHost = desktop(() => ({
    files: NVIDIA_FILES,
    libraries: { "libnvidia-ml.so.1": fakeNvml([gpu]) },
  }));
  const seconds = (): number => secondsOf(host);
  if (kind === "counter") {
    Object.defineProperty(gpu, "energy", {
      configurable: true,
      get: () => Math.round((GPU(seconds()) + 4000) * 1000),
    });
  } else {
    Object.defineProperty(gpu, "power", {
      configurable: true,
      get: () => Math.round(powerOf(GPU, seconds()) * 1000),
    });
  }
  gpus.set(host, gpu);
  return { host, providers: [provider("nvml")], energy: { gpu: GPU } };
}

/** A GPU read by the program nvidia-smi. */
export function gpuProgram(): Simulation {
  const controller: Controller = {
    answer: () => ({ stdout: smiRow(powerOf(GPU, secondsOf(host)).toFixed(2)) }),
  };
  const host: FakeHost = desktop(() => ({
    commands: {
      "nvidia-smi": (args) => {
        const probing = args[0]?.includes("power.max_limit") ?? false;
        const { stdout = "", ...rest } = controller.answer();
        return { ...rest, stdout: probing ? stdout.trimEnd().concat(", 300.00, [N/A]\n") : stdout };
      },
    },
  }));
  controllers.set(host, controller);
  return { host, providers: [provider("nvidia-smi")], energy: { gpu: GPU } };
}

export const smiRow = (watts: string): string => `0, GPU-1, NVIDIA L4, ${watts}, ${watts}\n`;

/** Lets a property answer otherwise from now on. */
export function answers(object: object, name: string, get: () => unknown): void {
  Object.defineProperty(object, name, { configurable: true, get });
}
