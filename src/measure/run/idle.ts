// Idle power of this machine, read before a run while nothing else runs. A machine that is busy then
// has no baseline: its power would be taken for idle power and the subject would get too little.

import { type Figure, figure, type Host } from "../../core/index.ts";
import { errorFactors } from "../sensors/bridge.ts";
import type { Sensor } from "../sensors/sensor.ts";
import type { TickRecord } from "./record.ts";
import { createSampler } from "./sampler.ts";

export interface IdleBaseline {
  /** Watts by sensor id; empty when the machine was busy. */
  readonly power: Readonly<Record<string, Figure<"W">>>;
  readonly notices: readonly string[];
}

/** Busiest machine whose power passes for idle: part of all logical processors. */
export const MOST_BUSY = 0.05;

/** Reads all sensors for some seconds of quiet. */
export async function measureIdle(
  host: Host,
  sensors: readonly Sensor[],
  options: { readonly seconds: number; readonly threads: number },
): Promise<IdleBaseline> {
  const ticks: TickRecord[] = [];
  const sampler = createSampler({
    host,
    sensors,
    usage: async (machine) => ({
      busyS: (await machine.busyTime()).busyS,
      subjectS: null,
      rss: null,
    }),
    emit: (record) => {
      if (record.type === "tick") ticks.push(record);
    },
  });
  const first = await sampler.start();
  await host.sleep(options.seconds * 1000);
  const last = await sampler.stop();
  const busy = (last.busyS ?? Number.NaN) / (options.threads * last.t);
  if (!(busy <= MOST_BUSY)) {
    const state = Number.isNaN(busy) ? "its load is not known" : `it was ${percent(busy)} busy`;
    return { power: {}, notices: [`no idle baseline of this machine: ${state}`] };
  }
  const power = sensors.flatMap((sensor, index) => {
    const [from, to] = [first.values[index] ?? null, last.values[index] ?? null];
    if (from === null || to === null || to <= from) return [];
    return [[sensor.id, idleFigure(sensor, (to - from) / last.t, options.seconds)] as const];
  });
  return { power: Object.fromEntries(power), notices: [] };
}

function idleFigure(sensor: Sensor, watts: number, seconds: number): Figure<"W"> {
  const source = `measured for ${seconds} s before the run`;
  const origin = { method: sensor.method, source };
  const factors = errorFactors(sensor, seconds);
  return figure("W", watts, { low: watts * factors.low, high: watts * factors.high }, origin);
}

const percent = (part: number): string => `${Math.round(part * 100)} %`;
