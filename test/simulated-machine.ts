// A machine whose supply and load curve are known, on a fake host's clock: components draw
// `idle + rise u^shape` watts, the plug gives `components / efficiency + base`. Its meter has a gain,
// noise, steps, a drift and outliers of its own, and is read as a battery, a BMC's sensor, a file or
// by a person.

import { createRandom } from "../src/core/random.ts";
import type { LoadGenerator } from "../src/measure/calibrate/index.ts";
import type { Sensor } from "../src/measure/sensors/index.ts";
import { createFakeHost, type FakeHost, type FakeMachine } from "./fake-host.ts";

export interface SimulatedMachine {
  readonly seed?: number;
  readonly efficiency?: number;
  readonly base?: number;
  /** Of the components. */
  readonly idle?: number;
  readonly rise?: number;
  readonly shape?: number;
  /** Share of the processors that others use, at a time in seconds. */
  readonly others?: (seconds: number) => number;
  /** Share of all processors that a limit leaves. */
  readonly limit?: number;
  readonly meter?: {
    /** Relative standard deviation of the gain, drawn once, of readings, and of whole steps. */
    readonly gain?: number;
    readonly noise?: number;
    readonly stepNoise?: number;
    /** Watts between neighbouring readings. */
    readonly quantum?: number;
    /** Relative change an hour. */
    readonly drift?: number;
    /** Share of readings that are three times too high. */
    readonly outliers?: number;
    /** Shows this whatever happens. */
    readonly stuck?: number;
  };
  readonly files?: FakeMachine["files"];
  readonly env?: Record<string, string>;
}

export interface SimulatedRig {
  readonly host: FakeHost;
  readonly load: LoadGenerator & { readonly asked: number[]; readonly stopped: boolean };
  /** The processor's counter. */
  readonly component: Sensor;
  /** What the meter shows now, watts. */
  readonly reading: () => number;
  /** True wall watts at a load. */
  readonly wallAt: (load: number) => number;
}

const THREADS = 8;

export function simulateMachine(machine: SimulatedMachine = {}): SimulatedRig {
  const { efficiency = 0.87, base = 30, idle = 20, rise = 80, shape = 0.8 } = machine;
  const { others = () => 0.005, limit = 1, meter = {}, seed = 1 } = machine;
  const random = createRandom(seed);
  const gain = Math.exp((meter.gain ?? 0) * random.normal());
  const asked: number[] = [];
  const state = { share: 0, stopped: false, step: 1, at: 0n, busyS: 0, ownS: 0, joules: 0 };

  const seconds = (): number => Number(host.monotonic()) / 1e9 - 1;
  const own = (): number => Math.min(state.share, limit, 1);
  const busy = (): number => Math.min(own() + others(seconds()), 1);
  const componentsAt = (load: number): number => idle + rise * load ** shape;
  const wallAt = (load: number): number => componentsAt(load) / efficiency + base;
  /** Brings everything that adds up over time to now. */
  const account = (): void => {
    const now = host.monotonic();
    const passed = Number(now - state.at) / 1e9;
    state.at = now;
    state.busyS += passed * busy() * THREADS;
    state.ownS += passed * own() * THREADS;
    state.joules += passed * componentsAt(busy());
  };
  const reading = (): number => {
    if (meter.stuck !== undefined) return meter.stuck;
    const drift = 1 + ((meter.drift ?? 0) * seconds()) / 3600;
    const noise = 1 + (meter.noise ?? 0) * random.normal();
    const watts = wallAt(busy()) * gain * drift * state.step * noise;
    const shown = random.uniform() < (meter.outliers ?? 0) ? 3 * watts : watts;
    const quantum = meter.quantum ?? 0;
    return quantum === 0 ? shown : Math.round(shown / quantum) * quantum;
  };

  const host: FakeHost = createFakeHost({
    facts: { threads: THREADS },
    ...(machine.env === undefined ? {} : { env: machine.env }),
    files: {
      "/etc/machine-id": "0123456789abcdef0123456789abcdef\n",
      "/proc/stat": () => {
        account();
        const ticks = Math.round(state.busyS * 100);
        const cores = Array.from({ length: THREADS }, (_, i) => `cpu${i} 0\n`).join("");
        return `cpu  ${ticks} 0 0 0 0 0 0 0 0 0\n${cores}`;
      },
      ...machine.files,
    },
    ownUsage: () => {
      account();
      return { cpuS: state.ownS, rssBytes: 50e6 };
    },
  });
  state.at = host.monotonic();

  return {
    host,
    reading,
    wallAt,
    load: {
      asked,
      get stopped() {
        return state.stopped;
      },
      async set(share) {
        account();
        asked.push(share);
        state.share = share;
        state.step = 1 + (meter.stepNoise ?? 0) * random.normal();
      },
      async stop() {
        account();
        state.share = 0;
        state.stopped = true;
      },
    },
    component: {
      id: "fake:package-0",
      provider: "fake",
      domain: "cpu",
      device: "package-0",
      scope: "component",
      kind: "counter",
      method: "measured",
      source: "a simulation",
      error: 0.03,
      async read() {
        account();
        return { at: host.monotonic(), value: state.joules };
      },
    },
  };
}

const BATTERY = "/sys/class/power_supply/BAT0";
const HWMON = "/sys/class/hwmon/hwmon1";
export const METER_FILE = "/var/log/plug.csv";

/** Puts the meter where a provider finds it. */
export function attachMeter({ host, reading }: SimulatedRig, as: "battery" | "bmc" | "file"): void {
  const microwatts = (): string => `${Math.round(reading() * 1e6)}\n`;
  switch (as) {
    case "battery":
      host.files.set(`${BATTERY}/type`, "Battery\n");
      host.files.set(`${BATTERY}/status`, "Discharging\n");
      host.files.set(`${BATTERY}/power_now`, microwatts);
      return;
    case "bmc":
      host.files.set(`${HWMON}/name`, "power_meter\n");
      host.files.set(`${HWMON}/power1_average`, microwatts);
      host.files.set(`${HWMON}/power1_average_interval`, "1000\n");
      return;
    case "file":
      host.files.set(METER_FILE, () => `time,watts\n${host.wall() / 1000},${reading()}\n`);
      return;
    default:
      as satisfies never;
  }
}
