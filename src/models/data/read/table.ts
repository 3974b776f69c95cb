// Rows and named columns, from CSV, JSON or Parquet, as a dataset: numbers side by side in one vector `x`,
// text and arrays each under their own name, the target as `label` (classes) or `target` (a number).

import { type Dataset, type FilledColumn, memoryDataset } from "../dataset.ts";
import { dataFault } from "./fault.ts";
import { nestedArray } from "./nested.ts";

/** What a cell may hold. Text from a CSV file that reads as a number counts as one. */
export type Cell = unknown;

export interface Table {
  /** What errors call the file. */
  readonly file: string;
  readonly names: readonly string[];
  readonly rows: readonly (readonly Cell[])[];
  /** How to find a row again: its line, its number. */
  place(row: number): string;
}

export interface TableOptions {
  /** Column to predict; by default the one called label, class, target or y. */
  readonly target?: string;
  /** Columns that are left out. */
  readonly ignore?: readonly string[];
  /** Lets NaN and infinite inputs through; labels never. */
  readonly allowNonFinite?: boolean;
  /** Text columns that are joined to the inputs by the caller; others of text are kept as they are. */
  readonly classes?: readonly string[];
}

const TARGET_NAMES = ["label", "class", "target", "y"];

/** The dataset in a table. Throws UserError naming row and column of the first cell that does not fit. */
export function tableDataset(name: string, table: Table, options: TableOptions = {}): Dataset {
  if (table.rows.length === 0) {
    throw dataFault(table.file, null, "no rows", "Give a file with at least one sample.");
  }
  const target = targetOf(table, options.target);
  const inputs = table.names.filter((n) => n !== target && !options.ignore?.includes(n));
  for (const ignored of options.ignore ?? []) columnIndex(table, ignored);
  const kinds = new Map(inputs.map((column) => [column, kindOf(table, column)]));
  const ofKind = (kind: Kind) => inputs.filter((column) => kinds.get(column) === kind);
  const columns: FilledColumn[] = [];
  const numbers = ofKind("number");
  if (numbers.length > 0) columns.push(vectorColumn(table, numbers, options));
  for (const column of ofKind("text")) columns.push(textColumn(table, column));
  for (const column of ofKind("array")) columns.push(arrayColumn(table, column, options));
  if (target !== null) columns.push(targetColumn(table, target, options));
  return memoryDataset(name, columns);
}

function targetOf(table: Table, wanted: string | undefined): string | null {
  if (wanted !== undefined) {
    columnIndex(table, wanted);
    return wanted;
  }
  return table.names.find((name) => TARGET_NAMES.includes(name.toLowerCase())) ?? null;
}

function columnIndex(table: Table, name: string): number {
  const index = table.names.indexOf(name);
  if (index !== -1) return index;
  const shown = table.names.slice(0, 20).join(", ");
  throw dataFault(table.file, null, `there is no column ${name}`, `The columns are ${shown}.`);
}

type Kind = "number" | "text" | "array";

/** Told by the first row; a later cell of another kind is a fault of that cell. */
function kindOf(table: Table, column: string): Kind {
  const cell = table.rows[0]?.[columnIndex(table, column)];
  if (Array.isArray(cell) || ArrayBuffer.isView(cell)) return "array";
  return typeof cell === "string" && numberOf(cell) === null && !isMissing(cell)
    ? "text"
    : "number";
}

const MISSING = /^\s*(|\?|na|n\/a|null|none)\s*$/i;

const isMissing = (cell: Cell): boolean =>
  cell === null || cell === undefined || (typeof cell === "string" && MISSING.test(cell));

/** The number in a cell; null when there is none. "NaN" and "inf" are numbers, if not finite ones. */
export function numberOf(cell: Cell): number | null {
  if (typeof cell === "number") return cell;
  if (typeof cell === "boolean") return cell ? 1 : 0;
  if (typeof cell === "bigint") return Number(cell);
  if (typeof cell !== "string" || isMissing(cell)) return null;
  const text = cell.trim();
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  const infinite = /^([+-]?)inf(inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  // Number() also reads hexadecimal and such, which no table of numbers means.
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : null;
}

function vectorColumn(
  table: Table,
  names: readonly string[],
  { allowNonFinite = false }: TableOptions,
): FilledColumn {
  const indices = names.map((name) => columnIndex(table, name));
  const data = new Float32Array(table.rows.length * names.length);
  table.rows.forEach((_cells, row) => {
    indices.forEach((index, at) => {
      const value = finiteNumber(table, row, index, allowNonFinite);
      data[row * names.length + at] = value;
    });
  });
  return { name: "x", dataType: "float32", shape: [names.length], data };
}

function finiteNumber(table: Table, row: number, index: number, allowNonFinite: boolean): number {
  const cell = table.rows[row]?.[index];
  const value = numberOf(cell);
  const place = `${table.place(row)}, column ${table.names[index]}`;
  if (value === null) {
    const fault = isMissing(cell) ? "nothing there" : `${shown(cell)} is no number`;
    throw dataFault(table.file, place, fault, "Fill it in, or leave the row or the column out.");
  }
  if (!Number.isFinite(value) && !allowNonFinite) {
    const hint = "Correct it, leave the row out, or allow such inputs on purpose.";
    throw dataFault(table.file, place, `${value} among the inputs`, hint);
  }
  return value;
}

function textColumn(table: Table, name: string): FilledColumn {
  const index = columnIndex(table, name);
  const data = table.rows.map((cells, row) => {
    const cell = cells[index];
    if (typeof cell === "string") return cell;
    const place = `${table.place(row)}, column ${name}`;
    throw dataFault(table.file, place, `${shown(cell)} is no text`, "Correct it.");
  });
  return { name, dataType: "string", shape: [], data };
}

function arrayColumn(
  table: Table,
  name: string,
  { allowNonFinite = false }: TableOptions,
): FilledColumn {
  const index = columnIndex(table, name);
  const samples = table.rows.map((cells, row) => {
    const place = `${table.place(row)}, column ${name}`;
    const value = nestedArray(table.file, place, cells[index]);
    if (!allowNonFinite && !value.data.every(Number.isFinite)) {
      const hint = "Correct it, leave the row out, or allow such inputs on purpose.";
      throw dataFault(table.file, place, "a value that is no finite number", hint);
    }
    return { dataType: "float32" as const, dims: value.dims, data: value.data };
  });
  const shape = samples[0]?.dims ?? [];
  const same = samples.every(({ dims }) => String(dims) === String(shape));
  return { name, dataType: "float32", shape: same ? shape : null, samples };
}

/** Whole numbers from 0 and names are classes; numbers otherwise, and arrays of them, are quantities. */
function targetColumn(table: Table, name: string, options: TableOptions): FilledColumn {
  if (kindOf(table, name) === "array")
    return { ...arrayColumn(table, name, options), name: "target" };
  const { classes } = options;
  const index = columnIndex(table, name);
  const cells = table.rows.map((row) => row[index]);
  const missing = cells.findIndex((cell) => isMissing(cell) || Number.isNaN(numberOf(cell)));
  if (missing !== -1) {
    const place = `${table.place(missing)}, column ${name}`;
    throw dataFault(table.file, place, "no label there", "Label the row or leave it out.");
  }
  const numbers = cells.map(numberOf);
  const isClass = (value: number | null) => value !== null && Number.isInteger(value) && value >= 0;
  if (classes === undefined && numbers.every(isClass)) {
    const data = BigInt64Array.from(numbers, (value) => BigInt(value ?? 0));
    return { name: "label", dataType: "int64", shape: [], data };
  }
  if (classes === undefined && numbers.every((value) => value !== null)) {
    const data = Float32Array.from(numbers, (value) => value ?? Number.NaN);
    const infinite = data.findIndex((value) => !Number.isFinite(value));
    if (infinite !== -1) {
      const place = `${table.place(infinite)}, column ${name}`;
      throw dataFault(table.file, place, `a target of ${data[infinite]}`, "Correct it.");
    }
    return { name: "target", dataType: "float32", shape: [], data };
  }
  return classColumn(table, name, cells.map(String), classes);
}

function classColumn(
  table: Table,
  name: string,
  labels: readonly string[],
  given: readonly string[] | undefined,
): FilledColumn {
  const classes = given ?? [...new Set(labels)].sort();
  const numbers = new Map(classes.map((label, number) => [label, BigInt(number)]));
  const data = BigInt64Array.from(labels, (label, row) => {
    const number = numbers.get(label);
    if (number !== undefined) return number;
    const place = `${table.place(row)}, column ${name}`;
    const hint = `The classes are ${classes.join(", ")}.`;
    throw dataFault(table.file, place, `class ${label} is not known`, hint);
  });
  return { name: "label", dataType: "int64", shape: [], classes, data };
}

function shown(cell: Cell): string {
  const text = typeof cell === "string" ? `"${cell}"` : String(JSON.stringify(cell) ?? cell);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}
