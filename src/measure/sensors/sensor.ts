// What a sensor is. A provider looks for one family of sensors on a host and answers with a value:
// ready, denied or absent. A sensor is read; how its readings become energy is in `integrate.ts`,
// and which of several overlapping sensors counts is in `ladder.ts`.

import type { Host } from "../../core/index.ts";
import type { MachineUse } from "./busy-time.ts";

/** OpenTelemetry's `hw.type` spelling, and `machine` for what covers everything. */
export type Domain = "cpu" | "memory" | "gpu" | "machine" | "board";

/** What the energy of a sensor includes. */
export type Scope = "component" | "wall";

/** One value, and the moment (monotonic nanoseconds) that it stands for. */
export interface Reading {
  readonly at: bigint;
  /** Joules since an arbitrary zero for a counter, watts for power. */
  readonly value: number;
}

export interface Sensor {
  /** Unique on this host and stable across runs, such as `rapl-powercap:package-0`. */
  readonly id: string;
  /** Name of the provider. */
  readonly provider: string;
  readonly domain: Domain;
  /** Name of the device for people and for joining: `package-0`, a GPU's UUID. */
  readonly device: string;
  readonly scope: Scope;
  /** `counter`: cumulative joules. `power`: watts, integrated by the trapezoid rule. */
  readonly kind: "counter" | "power";
  /** `estimated` marks a model. */
  readonly method: "measured" | "sampled" | "estimated";
  /** For people: what is read, `perf energy-pkg`, `NVML total energy counter`. */
  readonly source: string;
  /** Relative standard deviation, log-normal (docs/methods/sensor-ladder.md); or explicit 90 % factors. */
  readonly error: number | { readonly low: number; readonly high: number };
  /** A larger relative standard deviation for windows `below` so many seconds. */
  readonly shortWindow?: { readonly below: number; readonly error: number };
  /** Seconds between updates of the underlying counter, when known. */
  readonly updatePeriod?: number;
  /** Joules at which a counter starts again from zero; absent when it never wraps in practice. */
  readonly range?: number;
  /** Highest power believed, in watts, to tell a wrap from a reset. */
  readonly maxPower?: number;
  /**
   * Ids of sensors whose energy is inside this one: a package contains its cores, psys its
   * packages, a wall meter everything.
   */
  readonly contains?: readonly string[];
  /**
   * Rejects when it cannot be read; a reading is never zero instead of a fault. `machine` is what the
   * others see that are read at this moment; a sensor that needs it and has none looks by itself.
   */
  read(machine?: MachineUse): Promise<Reading>;
}

/** What a provider found. A value, not an exception: absence is normal. */
export type Probe =
  | {
      readonly status: "ready";
      readonly sensors: readonly Sensor[];
      /** For `godwit doctor`. */
      readonly notes?: readonly string[];
      /** Parts of the machine that these sensors would have to cover and do not: on every card. */
      readonly missing?: readonly string[];
    }
  | { readonly status: "denied"; readonly reason: string; readonly remedy: string }
  | { readonly status: "absent"; readonly reason: string };

export interface SensorProvider {
  readonly name: string;
  /** One line for `godwit doctor`: what it reads and where it exists. */
  readonly description: string;
  /** Domains that it can answer for. */
  readonly domains: readonly Domain[];
  /** Milliseconds that a probe may take where it takes long for a reason; the survey's else. */
  readonly patience?: number;
  probe(host: Host): Promise<Probe>;
  /** Releases file descriptors and library handles of the sensors handed out for this host. */
  close?(host: Host): Promise<void>;
}
