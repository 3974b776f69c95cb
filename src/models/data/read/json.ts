// JSON (an array of objects) and JSON lines (an object a line) as tables. Numbers are columns, nested
// arrays are tensors.

import { reasonOf } from "../../../core/index.ts";
import { decodeText } from "./csv.ts";
import { dataFault } from "./fault.ts";
import type { Table } from "./table.ts";

/** The objects of a file. Throws UserError naming the line or the entry that is none. */
export function readJson(file: string, bytes: Uint8Array): Table {
  const text = decodeText(file, bytes);
  return text.trimStart().startsWith("[") ? fromArray(file, text) : fromLines(file, text);
}

function fromArray(file: string, text: string): Table {
  const parsed = parse(file, null, text);
  if (!Array.isArray(parsed)) {
    throw dataFault(file, null, "no array of samples", "Give an array of objects.");
  }
  return tableOf(file, parsed, (row) => `entry ${row}`);
}

function fromLines(file: string, text: string): Table {
  const samples: unknown[] = [];
  const lines: number[] = [];
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.trim() === "") return;
    samples.push(parse(file, `line ${index + 1}`, line));
    lines.push(index + 1);
  });
  return tableOf(file, samples, (row) => `line ${lines[row]}`);
}

function parse(file: string, place: string | null, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw dataFault(file, place, reasonOf(cause), "Correct the JSON.", cause);
  }
}

function tableOf(file: string, samples: readonly unknown[], place: (row: number) => string): Table {
  const [first] = samples;
  const names = isObject(first) ? Object.keys(first) : [];
  const rows = samples.map((sample, row) => {
    if (!isObject(sample)) {
      throw dataFault(file, place(row), "no object", 'Write {"x": [1, 2], "label": 0}.');
    }
    const odd = Object.keys(sample).find((key) => !names.includes(key));
    const absent = names.find((name) => !Object.hasOwn(sample, name));
    if (odd !== undefined || absent !== undefined) {
      const fault = odd === undefined ? `no field ${absent}` : `a field ${odd} that others lack`;
      throw dataFault(file, place(row), fault, "Give every sample the same fields.");
    }
    return names.map((name) => sample[name]);
  });
  return { file, names, rows, place };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
