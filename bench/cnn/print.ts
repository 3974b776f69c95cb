// The rows of one set as a table.

import { printTable, row } from "../engine/figures.ts";
import type { BaselineRow } from "./baseline.ts";
import type { Row } from "./row.ts";
import type { SetOfRuns } from "./runs.ts";

const three = (value: number): string => Number(value.toPrecision(3)).toString();
const millions = (value: number): string => `${three(value / 1e6)} M`;
const range = ({ low, high }: { low: number; high: number }, text = three): string =>
  `(${text(low)} to ${text(high)})`;

export function printSet(
  { data, epochs, target }: SetOfRuns,
  rows: readonly Row[],
  baselines: readonly BaselineRow[],
): void {
  console.log(`## ${data}, ${epochs} epochs\n`);
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const head = [
    "network",
    "accuracy",
    "parameters",
    "MACs",
    "training CPU-s",
    "training J",
    "ms CPU an inference",
    "J per 1,000",
  ];
  printTable(head, [
    ...baselines.map(({ name, accuracy, source }) =>
      row(`${name} (${source})`, percent(accuracy), "", "", "", "", "", ""),
    ),
    ...rows.map((one) =>
      row(
        one.plain ? `${one.name} (plain)` : one.name,
        `${percent(one.accuracy.value)} ${range(one.accuracy, percent)}`,
        `${three(one.parameters / 1e3)} k`,
        millions(one.macs),
        three(one.train.cpuS),
        `${three(one.train.joules.value)} ${range(one.train.joules)}`,
        `${three(one.inferenceMs.value)} ${range(one.inferenceMs)}`,
        `${three(one.inferenceJoules.value)} ${range(one.inferenceJoules)}`,
      ),
    ),
  ]);
  const best = rows
    .filter(({ macs }) => macs < target.macs)
    .toSorted((a, b) => b.accuracy.value - a.accuracy.value)[0];
  if (best === undefined) return;
  const isMet = best.accuracy.value >= target.accuracy;
  const limit = Number.isFinite(target.macs) ? ` below ${millions(target.macs)}` : "";
  console.log(
    `best${limit}: ${best.name}, ${percent(best.accuracy.value)}; target ${percent(target.accuracy)} ${isMet ? "met" : "missed"}`,
  );
  console.log(`${compare(rows)}\n`);
}

/**
 * The efficient blocks against the most accurate plain network, by CPU time: where energy is estimated it follows from
 * that and from wall time, which others on the machine lengthen.
 */
function compare(rows: readonly Row[]): string {
  const [plain] = rows
    .filter((one) => one.plain)
    .toSorted((a, b) => b.accuracy.value - a.accuracy.value);
  if (plain === undefined) return "";
  const close = rows.filter(
    (one) => !one.plain && one.accuracy.value >= plain.accuracy.value - 0.01,
  );
  const [least] = close.toSorted((a, b) => a.train.cpuS - b.train.cpuS);
  if (least === undefined) return `no efficient block comes within a point of ${plain.name}`;
  const ratio = least.train.cpuS / plain.train.cpuS;
  const verdict = ratio <= 0.25 ? "within a quarter" : "not within a quarter";
  return `${least.name} comes within a point of ${plain.name} at ${three(ratio)} of its training CPU time: ${verdict}`;
}
