// A table in columns of a terminal: widths from the content, one column that gives way.

import { columnsOf, cut, padded, printable } from "../report/columns.ts";

export interface TextColumn {
  readonly title: string;
  readonly align?: "left" | "right";
  /** Cut when the table is wider than the terminal. */
  readonly flexible?: boolean;
}

const GAP = "  ";
const NARROWEST = 8;

/** Lines of a table, each at most `width` columns where the flexible column allows it. */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly string[] {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(printable))];
  const widths = columns.map((_, at) =>
    Math.max(...lines.map((line) => columnsOf(line[at] ?? ""))),
  );
  const room = fitted(columns, widths, width - GAP.length * (columns.length - 1));
  return lines.map((line) =>
    columns
      .map(({ align }, at) =>
        padded(cut(line[at] ?? "", room[at] ?? 0), room[at] ?? 0, sideOf(align)),
      )
      .join(GAP)
      .trimEnd(),
  );
}

/** Widths that fit in all: the widest flexible column gives way first. */
function fitted(
  columns: readonly TextColumn[],
  widths: readonly number[],
  width: number,
): readonly number[] {
  const room = [...widths];
  let excess = room.reduce((sum, one) => sum + one, 0) - width;
  for (; excess > 0; excess--) {
    const flexible = room.filter((_, at) => columns[at]?.flexible === true);
    const widest = Math.max(NARROWEST, ...flexible);
    const at = room.findIndex((one, index) => columns[index]?.flexible === true && one === widest);
    if (widest === NARROWEST || at === -1) break;
    room[at] = widest - 1;
  }
  return room;
}

/** Blanks stand on the side that the text is not aligned to. */
const sideOf = (align: TextColumn["align"]): "left" | "right" =>
  align === "right" ? "left" : "right";
