// A card as one row of a table: what identifies it, then its figures with the unit in the column's
// name, so that nobody has to guess it. Shared by every table that is exported.

import type { Card } from "../core/card.ts";
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

/** Columns that every table has, all of them text. */
export const IDENTITY_COLUMNS = [
  "id",
  "name",
  "kind",
  "status",
  "started_at",
  "ended_at",
  "energy_boundary",
  "energy_scope",
  "zone",
  "machine",
] as const;

/** Cells by column; what the card does not know is left out, never a zero. */
export function cardRow(card: Card): ReadonlyMap<string, string | number> {
  return new Map([...identity(card), ...figures(card)]);
}

function identity(card: Card): readonly (readonly [string, string])[] {
  const cells: Record<(typeof IDENTITY_COLUMNS)[number], string | undefined> = {
    id: card.id,
    name: card.subject.name,
    kind: card.subject.kind,
    status: card.status,
    started_at: card.startedAt,
    ended_at: card.endedAt,
    energy_boundary: card.boundary.headline,
    energy_scope: card.boundary.scope,
    zone: card.signal?.zone,
    machine: card.machine.id,
  };
  return Object.entries(cells).flatMap(([column, cell]) =>
    cell === undefined ? [] : [[column, cell] as const],
  );
}

function figures(card: Card): readonly (readonly [string, string | number])[] {
  return figuresOf(card)
    .filter(({ group }) => group !== "span" && group !== "component")
    .flatMap((named) => {
      const column = columnName(named);
      const { value, low, high, method } = named.figure;
      return [
        [column, value] as const,
        [`${column}_low_90`, low] as const,
        [`${column}_high_90`, high] as const,
        [`${column}_method`, method] as const,
      ];
    });
}
