// Comma- and tab-separated files as tables.

import { parseCsv, reasonOf } from "../../../core/index.ts";
import { dataFault } from "./fault.ts";
import { numberOf, type Table } from "./table.ts";

export interface CsvOptions {
  /** Field separator: a comma with quoting by RFC 4180, or a tab, which knows no quotes. */
  readonly separator: "," | "\t";
  /** Whether the first row names the columns; by default it does unless it holds a number. */
  readonly header?: boolean;
}

/** The rows of a text file. Throws UserError for rows of different widths and unclosed quotes. */
export function readCsv(file: string, bytes: Uint8Array, options: CsvOptions): Table {
  const rows = rowsOf(file, decodeText(file, bytes), options.separator);
  const [first] = rows;
  if (first === undefined) {
    throw dataFault(file, null, "the file is empty", "Give a file with at least one row.");
  }
  const header = options.header ?? first.every((cell) => numberOf(cell) === null);
  const names = header ? first : first.map((_, index) => `c${index}`);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) {
    throw dataFault(file, "row 1", `two columns called ${repeated}`, "Rename one of them.");
  }
  const offset = header ? 2 : 1;
  const samples = header ? rows.slice(1) : rows;
  const odd = samples.findIndex((row) => row.length !== names.length);
  if (odd !== -1) {
    const fault = `${samples[odd]?.length} fields where there are ${names.length} columns`;
    throw dataFault(file, `row ${odd + offset}`, fault, "Correct the row, or quote its commas.");
  }
  return { file, names, rows: samples, place: (row) => `row ${row + offset}` };
}

function rowsOf(file: string, text: string, separator: "," | "\t"): string[][] {
  if (separator === "\t") {
    const lines = text.split(/\r?\n/);
    if (lines.at(-1) === "") lines.pop();
    return lines.map((line) => line.split("\t"));
  }
  try {
    return parseCsv(text);
  } catch (cause) {
    throw dataFault(file, null, reasonOf(cause), "Close the quotes.", cause);
  }
}

/** UTF-8 text. Throws UserError for bytes that are none. */
export function decodeText(file: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw dataFault(file, null, "the text is not UTF-8", "Convert it to UTF-8.", cause);
  }
}
