// Text in columns of a terminal: how wide it is, cutting, wrapping, padding.

import { legible } from "./markup.ts";

/** Code points that take two columns (East Asian wide and fullwidth, UAX #11; emoji). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Marks that take none: combining, enclosing, and what joins or hides. */
const NONE = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Columns that a text takes. */
export function columnsOf(value: string): number {
  let width = 0;
  for (const character of value) width += NONE.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return width;
}

/** A text safe to print: no escape sequence of a run's name reaches the terminal. */
export const printable = legible;

/** Padded on the right, or on the left, to a number of columns. */
export function padded(value: string, width: number, side: "left" | "right" = "right"): string {
  const blank = " ".repeat(Math.max(0, width - columnsOf(value)));
  return side === "right" ? value + blank : blank + value;
}

/** Cut to a number of columns, with three points where it was cut. */
export function cut(value: string, width: number): string {
  if (columnsOf(value) <= width) return value;
  return `${headOf(value, Math.max(0, width - 3)).head}${".".repeat(Math.min(3, width))}`;
}

/** Lines of at most `width` columns, broken between words, inside a word only when it must be. */
export function wrap(value: string, width: number): readonly string[] {
  const room = Math.max(1, width);
  const lines: string[] = [];
  let line = "";
  for (let word of value.split(" ")) {
    if (line !== "" && columnsOf(line) + 1 + columnsOf(word) <= room) {
      line += ` ${word}`;
      continue;
    }
    if (line !== "") lines.push(line);
    while (columnsOf(word) > room) {
      const { head, tail } = headOf(word, room);
      if (tail === "") break;
      lines.push(head);
      word = tail;
    }
    line = word;
  }
  return [...lines, line];
}

/** The longest beginning of at most `width` columns, at least one character, and the rest. */
function headOf(value: string, width: number): { head: string; tail: string } {
  let head = "";
  let columns = 0;
  for (const character of value) {
    const next = columns + columnsOf(character);
    if (next > width && head !== "") break;
    head += character;
    columns = next;
  }
  return { head, tail: value.slice(head.length) };
}
