// A card as comma-separated values by RFC 4180: one row a figure, or one row a card. The unit is in
// the column's name, so that nobody has to guess it.

import type { Card } from "../core/card.ts";
import { csvField } from "../core/csv.ts";
import { cardRow, columnName, IDENTITY_COLUMNS } from "./card-row.ts";
import { figuresOf } from "./headline.ts";

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
  const rows = cards.map(cardRow);
  const columns = [...new Set([...IDENTITY_COLUMNS, ...rows.flatMap((row) => [...row.keys()])])];
  return toCsv([columns, ...rows.map((row) => columns.map((column) => row.get(column) ?? ""))]);
}

/** Rows of fields with the line ends of RFC 4180. */
function toCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) => `${row.map((field) => csvField(inert(field))).join(",")}\r\n`).join("");
}

/** A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP). */
function inert(field: string | number): string {
  return typeof field === "string" && /^[=+\-@\t\r]/.test(field) ? `'${field}` : String(field);
}
