// The energy that carries the emissions: the subject's attributed energy where it can be told, else
// all of the machine's. Its total is the chain's; here it gets its course over time, from which come
// peak power and the energy of spans.

import type { Span } from "../../core/card.ts";
import { type Figure, figure } from "../../core/index.ts";
import { attributedOf, netOf, type Parts } from "./attribution.ts";
import type { Account, StepOf } from "./chain.ts";
import { meanPower, peakFigure, type SensorEnergy } from "./energy.ts";
import { type EnergyCurve, peakOf, powerCurve } from "./power.ts";
import type { SpanRecord, StartRecord } from "./record.ts";
import { deltas, durationOf, interpolate, type Timeline } from "./timeline.ts";

export interface Headline {
  readonly account: Account;
  readonly energy: Figure<"J">;
  /** Course of the energy at the boundary; ends at the value of `energy`. */
  readonly curve: EnergyCurve;
}

/** Which account carries the emissions of a run. */
export function headlineAccount(
  energies: readonly SensorEnergy[],
  { claim }: StartRecord,
): Account {
  if (energies.length === 0 || energies.some(({ owned }) => owned === null)) return "gross";
  return claim === "own-share" ? "net" : "attributed";
}

/** The headline of a run whose chain of that account is known. */
export function headlineOf(
  account: Account,
  energies: readonly SensorEnergy[],
  steps: readonly StepOf<"J">[],
  timeline: Timeline,
): Headline | null {
  const energy = steps.at(-1)?.result;
  if (energy === undefined) return null;
  const { start, times } = timeline;
  const factor = (start.wall?.factor.value ?? 1) * start.pue.value;
  const lengths = deltas(times);
  const scaled = lengths.map((_, index) => {
    let joules = 0;
    for (const entry of energies) {
      const onWay = entry.track.sensor.scope === "component" ? factor : start.pue.value;
      joules += onWay * joulesOf(account, entry, index);
    }
    return joules;
  });
  // What the chain has beyond the sensors is the board's power, which is even over time.
  const board = (energy.value - addUp(scaled)) / durationOf(timeline);
  let sum = 0;
  const joules = [0];
  for (const [index, length] of lengths.entries()) {
    sum += (scaled[index] ?? 0) + board * length;
    joules.push(sum);
  }
  const silent = lengths.map((_, index) =>
    energies.some(({ track }) => track.silent[index] === true),
  );
  return { account, energy, curve: { times, joules, silent } };
}

/** Mean and peak power of the headline energy; null for a run without length. */
export function headlinePower(
  { energy, curve }: Headline,
  energies: readonly SensorEnergy[],
): { readonly mean: Figure<"W">; readonly peak?: Figure<"W"> } | null {
  const duration = durationOf(curve);
  if (duration <= 0) return null;
  const mean = meanPower(energy, duration);
  const slowest = Math.max(0, ...energies.map(({ track }) => track.sensor.updatePeriod ?? 0));
  const peak = peakOf(powerCurve(curve, slowest));
  return peak === null ? { mean } : { mean, peak: peakFigure(peak, mean) };
}

/** The card's spans, each with its part of the headline energy. */
export function spansOf(spans: readonly SpanRecord[], headline: Headline | null): Span[] {
  return [...spans]
    .sort((a, b) => a.index - b.index)
    .map((span) => ({
      name: span.name,
      startS: span.start,
      endS: span.end,
      ...(span.parent === null ? {} : { parent: span.parent }),
      ...(headline === null ? {} : { energy: energyWithin(headline, span.start, span.end) }),
    }));
}

/** Headline energy between two moments, with the relative error of the whole. */
function energyWithin({ energy, curve }: Headline, from: number, to: number): Figure<"J"> {
  const at = (t: number): number => interpolate(curve.times, curve.joules, t);
  const value = Math.max(0, at(to) - at(from));
  const scale = energy.value === 0 ? 0 : value / energy.value;
  const bounds = {
    low: Math.min(value, energy.low * scale),
    high: Math.max(value, energy.high * scale),
  };
  return figure("J", value, bounds, { method: energy.method, source: "part of the run's energy" });
}

function joulesOf(account: Account, { track, owned }: SensorEnergy, index: number): number {
  if (account === "gross") return (track.joules[index + 1] ?? 0) - (track.joules[index] ?? 0);
  const part: Parts | undefined = owned?.parts[index];
  if (part === undefined) return 0;
  return account === "net" ? netOf(part) : attributedOf(part);
}

function addUp(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
