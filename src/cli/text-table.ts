// A table in columns of a terminal: widths from the content, columns that give way.

import { columnsOf, cut, padded, printable, wrap } from "../report/columns.ts";

export interface TextColumn {
  readonly title: string;
  readonly align?: "left" | "right";
  /**
   * Gives way when the table is wider than the terminal. What tells rows apart wraps: cut, several
   * would read the same.
   */
  readonly flexible?: boolean | "wrap";
}

const GAP = "  ";
const NARROWEST = 8;

/** A wrapped column keeps its words whole, if they are no longer than this. */
const LONGEST_WORD = 16;

/** Lines of a table, each at most `width` columns where the flexible columns allow it. */
export function textTable(
  columns: readonly TextColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly string[] {
  const lines = [columns.map(({ title }) => title), ...rows.map((row) => row.map(printable))];
  const extents = columns.map((column, at) =>
    extentOf(
      column,
      lines.map((line) => line[at] ?? ""),
    ),
  );
  const room = fitted(extents, width - GAP.length * (columns.length - 1));
  return lines.flatMap((line) => {
    const cells = columns.map(({ flexible }, at) => {
      const [text, most] = [line[at] ?? "", room[at] ?? 0];
      return flexible === "wrap" ? wrap(text, most) : [cut(text, most)];
    });
    const height = Math.max(...cells.map((cell) => cell.length));
    return Array.from({ length: height }, (_, row) =>
      columns
        .map(({ align }, at) => padded(cells[at]?.[row] ?? "", room[at] ?? 0, sideOf(align)))
        .join(GAP)
        .trimEnd(),
    );
  });
}

/** What a column would like to have, and what it must. */
interface Extent {
  readonly wanted: number;
  readonly least: number;
}

function extentOf({ flexible }: TextColumn, cells: readonly string[]): Extent {
  const wanted = Math.max(...cells.map(columnsOf));
  switch (flexible) {
    case true:
      return { wanted, least: NARROWEST };
    case "wrap": {
      const words = cells.flatMap((cell) => cell.split(" ").map(columnsOf));
      return { wanted, least: Math.max(NARROWEST, ...words.filter((one) => one <= LONGEST_WORD)) };
    }
    default:
      return { wanted, least: wanted };
  }
}

/** Widths that fit in all: the widest column that may give way does so first. */
function fitted(extents: readonly Extent[], width: number): readonly number[] {
  const room = extents.map(({ wanted }) => wanted);
  let excess = room.reduce((sum, one) => sum + one, 0) - width;
  for (; excess > 0; excess--) {
    const flexible = room.map((one, at) => (one > (extents[at]?.least ?? one) ? one : 0));
    const widest = Math.max(...flexible);
    if (widest === 0) break;
    room[flexible.indexOf(widest)] = widest - 1;
  }
  return room;
}

/** Blanks stand on the side that the text is not aligned to. */
const sideOf = (align: TextColumn["align"]): "left" | "right" =>
  align === "right" ? "left" : "right";
