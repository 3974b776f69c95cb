// A card as comma-separated values by RFC 4180: one row a figure, or one row a card. The unit is in
// the column's name, so that nobody has to guess it.

import type { Card } from "../core/card.ts";
import { csvField } from "../core/csv.ts";
import type { Unit } from "../core/index.ts";
import { figuresOf, type NamedFigure } from "./headline.ts";

/** How a unit is spelt at the end of a column's name; a ratio has no spelling. */
const SUFFIX: Readonly<Record<Unit, string>> = {
  J: "_j",
  W: "_w",
  s: "_s",
  gCO2e: "_gco2e",
  "gCO2e/kWh": "_gco2e_per_kwh",
  B: "_bytes",
  L: "_l",
  "L/kWh": "_l_per_kwh",
  MAC: "_macs",
  FLOP: "_flops",
  parameters: "_parameters",
  gSbe: "_gsbe",
  money: "_money",
  "money/kWh": "_money_per_kwh",
  "money/tCO2e": "_money_per_tco2e",
  "1": "",
};

/** `energy_gross_j`: name and unit of a figure, as columns and metrics spell it. */
export const columnName = ({ key, figure }: NamedFigure): string => key + SUFFIX[figure.unit];

const FIGURE_COLUMNS = ["name", "value", "low_90", "high_90", "method", "source", "fallbacks"];

/** Every figure of a card, one a row. */
export function renderCsv(card: Card): string {
  const rows = figuresOf(card).map((named) => {
    const { value, low, high, method, source, fallbacks } = named.figure;
    return [columnName(named), value, low, high, method, source, (fallbacks ?? []).join("; ")];
  });
  return toCsv([FIGURE_COLUMNS, ...rows]);
}

/** Cards in one table, one a row; a figure that a card lacks is an empty field, never a zero. */
export function renderCsvTable(cards: readonly Card[]): string {
  const rows = cards.map((card) => new Map([...identity(card), ...values(card)]));
  const columns = [...new Set(rows.flatMap((row) => [...row.keys()]))];
  return toCsv([columns, ...rows.map((row) => columns.map((column) => row.get(column) ?? ""))]);
}

function identity(card: Card): readonly (readonly [string, string | number])[] {
  return [
    ["id", card.id],
    ["name", card.subject.name],
    ["kind", card.subject.kind],
    ["status", card.status],
    ["started_at", card.startedAt],
    ["ended_at", card.endedAt],
    ["energy_boundary", card.boundary.headline],
    ["energy_scope", card.boundary.scope],
    ["zone", card.signal?.zone ?? ""],
    ["machine", card.machine.id],
  ];
}

function values(card: Card): readonly (readonly [string, string | number])[] {
  return figuresOf(card)
    .filter(({ group }) => group !== "span" && group !== "component")
    .flatMap((named) => [
      [columnName(named), named.figure.value] as const,
      [`${columnName(named)}_low_90`, named.figure.low] as const,
      [`${columnName(named)}_high_90`, named.figure.high] as const,
      [`${columnName(named)}_method`, named.figure.method] as const,
    ]);
}

/** Rows of fields with the line ends of RFC 4180. */
function toCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map((field) => csvField(inert(field))).join(",")}\r\n`).join("");
}

/** A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP). */
function inert(field: string | number): string {
  return typeof field === "string" && /^[=+\-@\t\r]/.test(field) ? `'${field}` : String(field);
}
