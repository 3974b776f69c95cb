// Energy of a machine without sensors, as counters like any other sensor's: each reading adds the
// modelled power, at the mean load since the last reading, times the time that has passed. Marked
// `estimated` wherever it goes.

import type { Figure, Host } from "../../core/index.ts";
import { machineUse } from "../sensors/busy-time.ts";
import type { Sensor, SensorProvider } from "../sensors/sensor.ts";
import { type ModelledPart, planEstimate } from "./plan.ts";

/** The last rung for processor and memory: never absent. */
export const model: SensorProvider = {
  name: "model",
  description: "CPU and memory of any machine, from CPU time and fitted models (estimate)",
  domains: ["cpu", "memory"],

  async probe(host) {
    const { parts, notes } = await planEstimate(host);
    return { status: "ready", sensors: parts.map((part) => sensorOf(host, part)), notes };
  },
};

/** Modelled idle power by sensor id: what attribution takes as idle where none was measured. */
export async function modelledIdlePower(
  host: Host,
): Promise<Readonly<Record<string, Figure<"W">>>> {
  const { parts } = await planEstimate(host);
  return Object.fromEntries(parts.map((part) => [idOf(part), part.power(0)]));
}

const idOf = ({ domain }: Pick<ModelledPart, "domain">): string => `model:${domain}`;

function sensorOf(host: Host, part: ModelledPart): Sensor {
  return {
    id: idOf(part),
    provider: model.name,
    domain: part.domain,
    device: part.domain,
    scope: part.scope,
    kind: "counter",
    method: "estimated",
    source: part.source,
    error: factorsOf(part),
    ...(part.contains === undefined
      ? {}
      : { contains: part.contains.map((domain) => idOf({ domain })) }),
    read: createCounter(host, part),
  };
}

/**
 * Accumulated joules of a part since its first reading. The power of a mean load is not quite the
 * mean power, since power is not linear in load: shorter intervals are closer.
 */
function createCounter(host: Host, part: ModelledPart): Sensor["read"] {
  let last: { readonly at: bigint; readonly busyS: number } | null = null;
  let joules = 0;
  return async (machine = machineUse(host)) => {
    const { at, busyS, processors } = await machine.busyTime();
    const before = last;
    last = { at, busyS };
    if (before === null || at === before.at) return { at, value: joules };
    // Processors that leave take their time with them; what was used meanwhile is not known.
    if (busyS < before.busyS) throw new Error("CPU time ran backwards");
    const elapsed = Number(at - before.at) / 1e9;
    const capacity = elapsed * (processors ?? host.facts.threads);
    const load = Math.min((busyS - before.busyS) / capacity, 1);
    joules += part.power(load).value * elapsed;
    return { at, value: joules };
  };
}

/** Loads over which the interval is averaged. */
const LOADS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1] as const;

/** One pair of factors for a whole run: the geometric means of those at all loads. */
export function factorsOf(part: ModelledPart): { readonly low: number; readonly high: number } {
  const powers = LOADS.map((load) => part.power(load)).filter(({ value }) => value > 0);
  if (powers.length === 0) return { low: 1, high: 1 };
  const meanLog = (bound: (power: Figure<"W">) => number): number =>
    Math.exp(
      powers.reduce((sum, power) => sum + Math.log(bound(power) / power.value), 0) / powers.length,
    );
  return { low: meanLog(({ low }) => low), high: meanLog(({ high }) => high) };
}
