// Simulated sensors whose true energy is known: counters with a quantum, a period and a wrap, and
// gauges of power, on the clock of a fake host. Faults are functions of time.

import type { Reading, Sensor, SensorProvider } from "../src/measure/sensors/index.ts";
import type { FakeHost } from "./fake-host.ts";

export interface SimulatedSensor extends Partial<Omit<Sensor, "read" | "kind">> {
  readonly kind?: Sensor["kind"];
  /** True joules used since the simulation began, at a number of seconds; grows. */
  readonly energy: (seconds: number) => number;
  /** Joules between two values of the counter. */
  readonly quantum?: number;
  /** What happens at a moment instead of a reading: an error, or never an answer. */
  readonly fault?: (seconds: number) => Error | "hang" | null;
  /** Seconds by which a reading is older than the moment it is asked for. */
  readonly lag?: number;
  /** Added to a counter at a moment, as a reset does. */
  readonly offset?: (seconds: number) => number;
}

/** A sensor of the fake host; seconds count from the making of this function's first sensor. */
export function simulate(host: FakeHost, simulated: SimulatedSensor): Sensor {
  const { energy, quantum = 0, fault, offset, lag = 0, kind = "counter", ...rest } = simulated;
  const zero = host.monotonic();
  const { updatePeriod = 0, range } = rest;

  const valueAt = (seconds: number): number => {
    if (kind === "power") return (energy(seconds + 0.005) - energy(seconds - 0.005)) / 0.01;
    const updated =
      updatePeriod > 0 ? Math.floor(seconds / updatePeriod + 1e-9) * updatePeriod : seconds;
    const joules = energy(updated) + (offset?.(updated) ?? 0);
    const steps = quantum > 0 ? Math.floor(joules / quantum) * quantum : joules;
    return range === undefined ? steps : steps % range;
  };

  return {
    id: "fake:package-0",
    provider: "fake",
    domain: "cpu",
    device: "package-0",
    scope: "component",
    method: kind === "counter" ? "measured" : "sampled",
    source: "a simulation",
    error: 0,
    ...rest,
    kind,
    read() {
      const at = host.monotonic() - BigInt(Math.round(lag * 1e9));
      const seconds = Number(at - zero) / 1e9;
      const trouble = fault?.(seconds) ?? null;
      if (trouble === "hang") return new Promise<Reading>(() => {});
      if (trouble !== null) return Promise.reject(trouble);
      return Promise.resolve({ at, value: valueAt(seconds) });
    },
  };
}

/** A provider that gives these sensors. */
export function providerOf(...sensors: readonly Sensor[]): SensorProvider {
  return {
    name: "fake",
    description: "simulated sensors",
    domains: [...new Set(sensors.map(({ domain }) => domain))],
    probe: async () => ({ status: "ready", sensors }),
  };
}
