// The shape of data/power-model/coefficients.json, which scripts/fit-power-model.ts writes and the
// estimators read. How the numbers came to be is in docs/methods/power-model.md.

import type { Host } from "../../core/index.ts";

/** Numbers at the loads of `PowerModel.loads`. */
export type ByLoad = readonly number[];

/** Factors on an estimate between which the truth lies in 90 % of cases. */
export interface FactorsByLoad {
  readonly low: ByLoad;
  readonly high: ByLoad;
}

/** A server's wall power: watts x product of (input / reference) ^ exponent, by load. */
export interface ServerLaw {
  readonly watts: ByLoad;
  readonly exponents: {
    readonly tdp: ByLoad;
    readonly memory: ByLoad;
    /** Absent in the law for machines of unknown nominal frequency. */
    readonly frequency?: ByLoad;
  };
  /** For microarchitectures among those fitted on. */
  readonly inFamily: FactorsByLoad;
  /** For newer or other ones. */
  readonly newer: FactorsByLoad;
}

/** Wall power of one hardware thread of a server of one microarchitecture. */
export interface ThreadPower {
  readonly idle: PowerRange;
  readonly full: PowerRange;
  /** Memory of those servers per thread, GB: its power is inside. */
  readonly memoryGB: number;
  readonly servers: number;
}

/** Median and 90 % interval, watts. */
export interface PowerRange {
  readonly watts: number;
  readonly low: number;
  readonly high: number;
}

export interface PowerModel {
  readonly schema: "godwit.power-model/1";
  /** Load levels, 0..1 ascending. */
  readonly loads: ByLoad;
  readonly server: {
    readonly form: string;
    /** Systems fitted on and the span of their hardware availability, years. */
    readonly systems: number;
    readonly available: readonly [from: number, to: number];
    readonly reference: {
      readonly tdp: number;
      readonly memory: number;
      readonly frequency: number;
    };
    /** Smallest and largest value fitted on: TDP in W, memory in GB, frequency in GHz. */
    readonly range: Readonly<
      Record<"tdp" | "memory" | "frequency", readonly [low: number, high: number]>
    >;
    /** Microarchitectures among the systems. */
    readonly families: readonly string[];
    readonly withFrequency: ServerLaw;
    readonly withoutFrequency: ServerLaw;
  };
  /** Share of the way from idle to full power, by load. */
  readonly shape: ByLoad;
  readonly threads: Readonly<Record<string, ThreadPower>>;
}

/** The shipped coefficients. */
export async function loadPowerModel(host: Host): Promise<PowerModel> {
  return JSON.parse(await host.readData("power-model/coefficients.json")) as PowerModel;
}

/** Value at a load between levels, by straight lines; loads outside 0..1 are taken as the ends. */
export function atLoad(loads: ByLoad, values: ByLoad, load: number): number {
  const clamped = Math.min(Math.max(load, 0), 1);
  const above = Math.max(
    1,
    loads.findIndex((level) => level >= clamped),
  );
  const [x0, x1] = [loads[above - 1], loads[above]];
  const [y0, y1] = [values[above - 1], values[above]];
  if (x0 === undefined || x1 === undefined || y0 === undefined || y1 === undefined) {
    throw new RangeError(`no values around load ${load}`);
  }
  return y0 + ((y1 - y0) * (clamped - x0)) / (x1 - x0);
}
