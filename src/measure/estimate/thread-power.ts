// Wall power of a cloud guest: its hardware threads' share of the server that they are lent from. A
// guest sees neither its host's size nor, often, its CPU's name; the microarchitecture is enough.
// P(u) = n (idle + (full - idle) s(u)) with the power of one thread of servers of that
// microarchitecture and the measured shape s of the load curve.
//
// The approach is that of Cloud Carbon Footprint; the numbers are fitted anew from the SPECpower
// summary that it keeps (Apache-2.0), each CPU model once: the published table takes means over all
// servers, desktop ones among them, and its row for the fifth EPYC generation is in error.

import { type Figure, figure } from "../../core/index.ts";
import { atLoad, type PowerModel, type PowerRange, type ThreadPower } from "./coefficients.ts";
import { LEAN_SYSTEMS } from "./server-power.ts";

export interface Guest {
  /** Virtual processors, each taken as one hardware thread. */
  readonly threads: number;
  /** Of data/cpus/microarchitectures.csv; null when unknown. */
  readonly microarchitecture: string | null;
}

/** Power of one thread of a microarchitecture; of any of those measured when it is not among them. */
export function threadPowerOf(
  model: PowerModel,
  microarchitecture: string | null,
): ThreadPower & { readonly known: boolean } {
  const known = microarchitecture === null ? undefined : model.threads[microarchitecture];
  if (known !== undefined) return { ...known, known: true };
  const all = Object.values(model.threads);
  return {
    idle: spanOf(all.map(({ idle }) => idle)),
    full: spanOf(all.map(({ full }) => full)),
    memoryGB: middle(all.map(({ memoryGB }) => memoryGB)),
    servers: all.reduce((sum, { servers }) => sum + servers, 0),
    known: false,
  };
}

/** Wall power of a guest at a load in 0..1; shares of all guests of a server add up to it. */
export function guestPower(model: PowerModel, guest: Guest, load: number): Figure<"W"> {
  const { idle, full } = threadPowerOf(model, guest.microarchitecture);
  const way = atLoad(model.loads, model.shape, load);
  const at = (from: number, to: number): number => guest.threads * (from + (to - from) * way);
  const interval = { low: at(idle.low, full.low), high: at(idle.high, full.high) * LEAN_SYSTEMS };
  const origin = { method: "estimated", source: explainGuest(model, guest) } as const;
  return figure("W", at(idle.watts, full.watts), interval, origin);
}

/** The formula with its numbers. */
export function explainGuest(model: PowerModel, guest: Guest): string {
  const { idle, full, servers, known } = threadPowerOf(model, guest.microarchitecture);
  const formula = `${guest.threads} threads x (${idle.watts} W + ${round(full.watts - idle.watts)} W x s(u))`;
  const whose = known
    ? `${guest.microarchitecture} servers`
    : `servers of any kind, since the microarchitecture ${guest.microarchitecture ?? ""} is not among those measured`;
  return `${formula} at the wall, from ${servers} SPECpower results of ${whose}`;
}

function spanOf(ranges: readonly PowerRange[]): PowerRange {
  return {
    watts: middle(ranges.map(({ watts }) => watts)),
    low: Math.min(...ranges.map(({ low }) => low)),
    high: Math.max(...ranges.map(({ high }) => high)),
  };
}

function middle(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const round = (value: number): number => Number(value.toPrecision(4));
