// CodeCarbon's published sweep (MIT): RAPL package energy of four CPUs at load steps. The column
// `rapl_power` lags one step behind, so power is taken as `rapl_energy` over `duration`.

import { mean, parseCsvTable } from "../../src/core/index.ts";

export interface SweepPoint {
  readonly cpu: string;
  /** Sum over sockets. */
  readonly tdp: number;
  /** In 0..1. */
  readonly load: number;
  readonly watts: number;
}

/** TDP in watts (vendor specifications) times sockets, by a part of the file's name. */
const SWEPT: readonly (readonly [part: string, tdp: number])[] = [
  ["EPYC_8024P", 90],
  ["Threadripper_1950X", 180],
  ["E3-1240_V2", 69],
  ["E5-2620_v3", 2 * 85],
];

/** Points of one file, by its name. */
export function parseSweep(fileName: string, text: string): readonly SweepPoint[] {
  const found = SWEPT.find(([part]) => fileName.includes(part));
  if (found === undefined) throw new RangeError(`no known CPU in ${fileName}`);
  const [cpu, tdp] = found;
  return parseCsvTable(text).map((row) => ({
    cpu,
    tdp,
    load: Math.min(Number(row["cpu_load"]) / 100, 1),
    // The energy column is in kWh.
    watts: (Number(row["rapl_energy"]) * 3.6e6) / Number(row["duration"]),
  }));
}

/** Mean absolute error relative to the measured power, and predicted over measured total. */
export function scoreSweep(
  points: readonly SweepPoint[],
  power: (tdp: number, load: number) => number,
): { readonly mape: number; readonly total: number } {
  const predicted = points.map(({ tdp, load }) => power(tdp, load));
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  return {
    mape: mean(points.map(({ watts }, i) => Math.abs((predicted[i] ?? 0) / watts - 1))),
    total: sum(predicted) / sum(points.map(({ watts }) => watts)),
  };
}
