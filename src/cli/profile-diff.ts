// Two models side by side: what of the one is more or less in the other.

import { withPrefix } from "../core/index.ts";
import {
  type Amount,
  type ModelCount,
  numberOf,
  type RowOptions,
  rowsOf,
} from "../measure/profile/index.ts";
import { amountText } from "./profile-text.ts";
import { textTable } from "./text-table.ts";

/** One measure of two models. */
export interface Difference {
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
}

/** The measures of the whole. */
export function differences(before: ModelCount, after: ModelCount): readonly Difference[] {
  const number = (amount: Amount | null): number | null =>
    amount === null ? null : numberOf(amount);
  const of = (name: string, get: (model: ModelCount) => number | null): Difference => ({
    name,
    before: get(before),
    after: get(after),
  });
  return [
    of("parameters", ({ parameters }) => parameters.total),
    of("weights, bytes", ({ bytes }) => bytes),
    of("MAC", ({ totals }) => number(totals.macs)),
    of("FLOP", ({ totals }) => number(totals.flops)),
    of("bytes read", ({ totals }) => number(totals.reads)),
    of("bytes written", ({ totals }) => number(totals.writes)),
    of("peak activations, bytes", ({ activations }) => activations.withReuse),
    of("nodes", ({ totals }) => totals.nodes),
  ];
}

/** FLOPs by row, of rows that are not the same in both, the largest change first. */
export function rowDifferences(
  before: ModelCount,
  after: ModelCount,
  options: RowOptions,
): readonly Difference[] {
  const flops = (model: ModelCount): ReadonlyMap<string, number | null> =>
    new Map(
      rowsOf(model, { ...options, top: Number.POSITIVE_INFINITY }).rows.map(({ name, totals }) => [
        name,
        totals.flops === null ? null : numberOf(totals.flops),
      ]),
    );
  const [a, b] = [flops(before), flops(after)];
  const change = ({ before: x, after: y }: Difference): number => Math.abs((y ?? 0) - (x ?? 0));
  return [...new Set([...a.keys(), ...b.keys()])]
    .map((name) => ({ name, before: a.get(name) ?? null, after: b.get(name) ?? null }))
    .filter((row) => change(row) > 0)
    .toSorted((x, y) => change(y) - change(x))
    .slice(0, options.top);
}

/** Both tables. */
export function diffText(
  [before, after]: readonly [ModelCount, ModelCount],
  options: RowOptions,
  width: number,
): string {
  const table = (title: string, rows: readonly Difference[]): readonly string[] =>
    textTable(
      [
        { title, flexible: true },
        { title: "THIS", align: "right" },
        { title: "OTHER", align: "right" },
        { title: "CHANGE", align: "right" },
      ],
      rows.map((row) => [row.name, text(row.before), text(row.after), changeText(row)]),
      width,
    );
  const rows = rowDifferences(before, after, options);
  const notes = [before, after].some(({ symbols }) => symbols.length > 0)
    ? [
        `Sizes are open: ${amountText(before.totals.macs, "MAC")}, then ${amountText(after.totals.macs, "MAC")}.`,
      ]
    : [];
  return `${[
    ...table("MEASURE", differences(before, after)),
    ...(rows.length === 0 ? [] : ["", ...table(`FLOP BY ${options.by.toUpperCase()}`, rows)]),
    ...notes,
  ].join("\n")}\n`;
}

const text = (value: number | null): string =>
  value === null ? "-" : withPrefix(value, "").trimEnd();

function changeText({ before, after }: Difference): string {
  if (before === null || after === null)
    return before === after ? "" : before === null ? "new" : "gone";
  if (before === after) return "same";
  return before === 0
    ? "new"
    : `${after > before ? "+" : ""}${((100 * (after - before)) / before).toFixed(1)} %`;
}
