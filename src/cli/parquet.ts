// Cards as Parquet: one row a card, the columns of the CSV table with their types. A figure that a
// card lacks is null. Readers: DuckDB, pandas, Arrow ... See docs/decisions/0004-parquet.md.

import { type ColumnSource, parquetWriteBuffer } from "hyparquet-writer";
import type { Card } from "../core/card.ts";
import { cardRow, IDENTITY_COLUMNS } from "../report/index.ts";

/** The bytes of a Parquet file. */
export function cardsParquet(cards: readonly Card[]): Uint8Array {
  const rows = cards.map(cardRow);
  const names = new Map<string, "DOUBLE" | "STRING">(
    IDENTITY_COLUMNS.map((name) => [name, "STRING"]),
  );
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
