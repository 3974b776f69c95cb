// Cards as Parquet: one row a card, the columns of the CSV table with their types. A figure that a
// card lacks is null. Readers: DuckDB, pandas, Arrow ... See docs/decisions/0004-parquet.md.

import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import type { Card } from "../core/card.ts";
import { columnName, figuresOf } from "../report/index.ts";

type Cell = string | number;

/** The bytes of a Parquet file. */
export function cardsParquet(cards: readonly Card[]): Uint8Array {
  const rows = cards.map((card) => new Map([...identity(card), ...figures(card)]));
  const names = new Map<string, "DOUBLE" | "STRING">(IDENTITY.map((name) => [name, "STRING"]));
  for (const row of rows) {
    for (const [name, cell] of row) names.set(name, typeof cell === "number" ? "DOUBLE" : "STRING");
  }
  const columnData = [...names].map(
    ([name, type]): ColumnSource => ({
      name,
      type,
      nullable: true,
      data: rows.map((row) => row.get(name) ?? null),
    }),
  );
  return new Uint8Array(parquetWriteBuffer({ columnData, createdBy: "godwit" }));
}

const IDENTITY = [
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

function identity(card: Card): readonly (readonly [string, Cell])[] {
  const values: Record<(typeof IDENTITY)[number], string | undefined> = {
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
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
}

function figures(card: Card): readonly (readonly [string, Cell])[] {
  return figuresOf(card)
    .filter(({ group }) => group !== "span" && group !== "component")
    .flatMap((named) => {
      const name = columnName(named);
      const { value, low, high, method } = named.figure;
      return [
        [name, value] as const,
        [`${name}_low_90`, low] as const,
        [`${name}_high_90`, high] as const,
        [`${name}_method`, method] as const,
      ];
    });
}
