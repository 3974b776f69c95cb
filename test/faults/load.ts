// The load of every simulated machine: quiet, twenty seconds of work from second 20 of the clock, quiet
// again. What each domain truly uses is a function of time.

import type { Host } from "../../src/core/index.ts";
import { providers, type SensorProvider } from "../../src/measure/sensors/index.ts";
import { createFakeHost, type FakeHost, type FakeMachine, loadMachine } from "../fake-host.ts";

/** The provider of a name, as every run has it. */
export function provider(name: string): SensorProvider {
  const found = providers.find((candidate) => candidate.name === name);
  if (found === undefined) throw new RangeError(`no provider is called ${name}`);
  return found;
}

/** Energy of something that draws `low` watts, and `high` between seconds 20 and 40 of the clock. */
const drawing =
  (low: number, high: number) =>
  (seconds: number): number =>
    low * seconds + (high - low) * Math.min(Math.max(seconds - 20, 0), 20);

export const powerOf = (energy: (seconds: number) => number, seconds: number): number =>
  (energy(seconds + 0.005) - energy(seconds - 0.005)) / 0.01;

/** Seconds of the host's monotonic clock. */
export const secondsOf = (host: Host): number => Number(host.monotonic()) / 1e9;

const THREADS = 8;
/** Processors in use: 2 of 8, then 6. */
export const busy = drawing(2, 6);

/**
 * Within what a processor of 65 W does at a quarter and at three quarters of its load
 * (docs/methods/power-model.md), a tenth above the model.
 */
export const CPU = drawing(25, 42);
export const MEMORY = drawing(4, 4);
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
export interface Late {
  host: FakeHost | null;
}

export const now = (late: Late): number => (late.host === null ? 1 : secondsOf(late.host));

/** What the kernel and Node tell of the load, which is all this process's. */
export function load(late: Late): FakeMachine {
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
export function desktop(also: (late: Late) => FakeMachine = () => ({})): FakeHost {
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
export function recorded(name: string, also: (late: Late) => FakeMachine = () => ({})): FakeHost {
  const late: Late = { host: null };
  const { files: _, facts: __, ...base } = load(late);
  late.host = loadMachine(name, { ...base, ...also(late) });
  return late.host;
}

/** Lets a property answer otherwise from now on. */
export function answers(object: object, name: string, get: () => unknown): void {
  Object.defineProperty(object, name, { configurable: true, get });
}
