// Simulated machines with a meter of the whole, and such with a GPU, one for each family.

import type { FakeHost, FakeMachine } from "../fake-host.ts";
import { type FakeGpu, fakeNvml, NVIDIA_FILES } from "../fake-nvml.ts";
import { RANGE_UJ, ZONE } from "./counter-machines.ts";
import type { Simulation } from "./fault.ts";
import { CPU, desktop, GPU, powerOf, provider, recorded, secondsOf, WALL } from "./load.ts";

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
