// Time series with class labels: the `.ts` files of the UEA and UCR archives (sktime's format) and the
// `.tsv` files of the UCR archive of 2018 (label first, NaN after the end of a shorter series).

import type { TensorValue } from "../../../engine/index.ts";
import { type Dataset, memoryDataset } from "../dataset.ts";
import { decodeText } from "./csv.ts";
import { dataFault } from "./fault.ts";
import { numberOf } from "./table.ts";

/** One labelled series: its dimensions, each a list of values. */
interface Series {
  readonly line: number;
  readonly label: string;
  readonly dimensions: readonly (readonly number[])[];
}

/** Whether the text is a series file and no program: both are called `.ts`. */
export function looksLikeSeries(text: string): boolean {
  const line = text.split("\n").find((l) => l.trim() !== "" && !l.startsWith("#"));
  return line !== undefined && /^@(problemname|timestamps|univariate|missing)/i.test(line.trim());
}

/** Columns `x` [dimensions, length] (shape null where lengths differ) and `label`. */
export function readSeries(name: string, file: string, bytes: Uint8Array): Dataset {
  const { classes, series } = parseSeries(file, decodeText(file, bytes));
  return seriesDataset(name, file, series, classes);
}

function parseSeries(
  file: string,
  text: string,
): { readonly classes: readonly string[] | null; readonly series: readonly Series[] } {
  let classes: readonly string[] | null = null;
  let inData = false;
  const series: Series[] = [];
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = raw.trim();
    const place = `line ${index + 1}`;
    if (line === "" || line.startsWith("#")) return;
    if (inData) {
      series.push(seriesOf(file, place, index + 1, line));
      return;
    }
    const [key = "", ...values] = line.split(/\s+/);
    const tag = key.toLowerCase();
    if (tag === "@data") inData = true;
    else if (tag === "@timestamps" && values[0]?.toLowerCase() === "true") {
      throw dataFault(file, place, "series with time stamps", "Sample them at equal steps first.");
    } else if (tag === "@classlabel") {
      if (values[0]?.toLowerCase() !== "true") {
        throw dataFault(file, place, "series without classes", "Only labelled series are read.");
      }
      classes = values.slice(1);
    } else if (!tag.startsWith("@")) {
      throw dataFault(file, place, "neither a tag nor after @data", "Is it a .ts series file?");
    }
  });
  return { classes, series };
}

/** Dimensions are parted by colons, the label comes last. */
function seriesOf(file: string, place: string, line: number, text: string): Series {
  const parts = text.split(":");
  const label = parts.pop()?.trim() ?? "";
  if (parts.length === 0 || label === "") {
    throw dataFault(file, place, "no series with a label after a colon", "Correct the line.");
  }
  return {
    line,
    label,
    dimensions: parts.map((part, dimension) =>
      part.split(",").map((cell, at) => {
        const value = numberOf(cell);
        if (value !== null && Number.isFinite(value)) return value;
        const where = `${place}, dimension ${dimension}, value ${at}`;
        throw dataFault(file, where, `"${cell.slice(0, 30)}" is no finite number`, "Fill it in.");
      }),
    ),
  };
}

/** The `.tsv` files of the UCR archive: label, then the values; trailing NaN are no values. */
export function readUcrTsv(name: string, file: string, bytes: Uint8Array): Dataset {
  const lines = decodeText(file, bytes).split(/\r?\n/);
  const series = lines.flatMap((line, index): Series[] => {
    if (line.trim() === "") return [];
    const [label = "", ...cells] = line.trim().split("\t");
    while (/^nan$/i.test(cells.at(-1) ?? "")) cells.pop();
    return [seriesOf(file, `line ${index + 1}`, index + 1, `${cells.join(",")}:${label}`)];
  });
  return seriesDataset(name, file, series, null);
}

function seriesDataset(
  name: string,
  file: string,
  series: readonly Series[],
  declared: readonly string[] | null,
): Dataset {
  const [first] = series;
  if (first === undefined) throw dataFault(file, null, "no series", "Give at least one.");
  const classes = declared ?? [...new Set(series.map(({ label }) => label))].sort(byNumber);
  const samples = series.map((one) => tensorOf(file, one, first.dimensions.length));
  const shape = samples[0]?.dims ?? [];
  const same = samples.every(({ dims }) => dims[1] === shape[1]);
  return memoryDataset(name, [
    { name: "x", dataType: "float32", shape: same ? shape : null, samples },
    {
      name: "label",
      dataType: "int64",
      shape: [],
      classes,
      data: BigInt64Array.from(series, ({ label, line }) => {
        const number = classes.indexOf(label);
        if (number !== -1) return BigInt(number);
        const hint = `The header declares ${classes.join(", ")}.`;
        throw dataFault(file, `line ${line}`, `class ${label} is not declared`, hint);
      }),
    },
  ]);
}

function tensorOf(file: string, { line, dimensions }: Series, expected: number): TensorValue {
  const length = dimensions[0]?.length ?? 0;
  const odd = dimensions.findIndex((values) => values.length !== length);
  if (dimensions.length !== expected || odd !== -1) {
    const fault =
      odd === -1
        ? `${dimensions.length} dimensions where the first series has ${expected}`
        : `dimension ${odd} has ${dimensions[odd]?.length} values where the first has ${length}`;
    throw dataFault(file, `line ${line}`, fault, "Correct the line.");
  }
  return {
    dataType: "float32",
    dims: [expected, length],
    data: Float32Array.from(dimensions.flat()),
  };
}

const byNumber = (a: string, b: string): number => Number(a) - Number(b) || (a < b ? -1 : 1);
