// Faults of a dataset that no reader can see: against the model that is to be fed, and against the use
// that is to be made of it. Each is told before any work is spent on it.

import { UserError } from "../../core/index.ts";
import { type Port, sizeOf, type TensorValue } from "../../engine/index.ts";
import { type Column, type Dataset, readLabels } from "./dataset.ts";
import { allRows, batched } from "./rows.ts";

/** Which column feeds which input of a model. */
export type InputColumns = ReadonlyMap<string, string>;

/** Columns that are never inputs unless a model has an input of that name. */
const TARGETS = ["label", "target"];

/**
 * Finds the column for every input: the one of the same name, or the only candidate where there is one
 * input. Throws UserError listing what each input expects and what the data has.
 */
export function matchInputs(dataset: Dataset, inputs: readonly Port[]): InputColumns {
  const candidates = dataset.columns.filter(({ name }) => !TARGETS.includes(name));
  const [only] = inputs;
  const [single] = candidates;
  const byName = new Map<string, string>();
  for (const input of inputs) {
    const column =
      dataset.columns.find(({ name }) => name === input.name) ??
      (inputs.length === 1 && candidates.length === 1 && only === input ? single : undefined);
    if (column === undefined) throw unmatched(dataset, inputs, `no column for input ${input.name}`);
    const fault = misfit(column, input);
    if (fault !== null) throw unmatched(dataset, inputs, fault);
    byName.set(input.name, column.name);
  }
  return byName;
}

/** Why a column cannot feed an input; null when it can. The model's first axis is the batch. */
function misfit(column: Column, input: Port): string | null {
  const pair = `column ${column.name} for input ${input.name}`;
  if (input.dataType !== null && column.dataType !== input.dataType) {
    return `${pair}: ${column.dataType} where ${input.dataType} is expected`;
  }
  if (column.shape === null || input.dims === null) return null;
  const expected = input.dims.slice(1);
  const fits =
    column.shape.length === expected.length &&
    expected.every((dim, axis) => typeof dim !== "number" || dim === column.shape?.[axis]);
  if (fits) return null;
  const shown = expected.map((dim) => dim ?? "?").join(", ");
  return `${pair}: samples of [${column.shape.join(", ")}] where [${shown}] is expected`;
}

function unmatched(dataset: Dataset, inputs: readonly Port[], fault: string): UserError {
  const expected = inputs
    .map(
      ({ name, dataType, dims }) =>
        `${name} ${dataType ?? "?"}[${(dims ?? ["..."]).map((d) => d ?? "?").join(", ")}]`,
    )
    .join("; ");
  const got = dataset.columns
    .map(({ name, dataType, shape }) => `${name} ${dataType}[${shape?.join(", ") ?? "varying"}]`)
    .join("; ");
  return new UserError("invalid-input", `${dataset.name} does not fit the model: ${fault}`, {
    hint: `The model expects ${expected} (first axis: batch); a sample has ${got}. Name the columns after the inputs, or declare size, layout or type.`,
  });
}

/** What the data are for, which decides how many samples it takes. */
export type Purpose = "training" | "calibration" | "verification";

/** Fewest samples: below, a calibration is chance and a verification shows nothing. */
const LEAST: Readonly<Record<Purpose, number>> = { training: 2, calibration: 8, verification: 30 };

/** A fault that may be overridden on purpose, with what to say about it in a report. */
export interface DataFinding {
  readonly kind: "too-few" | "one-label" | "constant-input" | "non-finite";
  readonly message: string;
}

/**
 * Looks through the first `limit` rows for what makes the data useless: too few, one label only, an
 * input that never changes, numbers that are not finite. Inputs are read batch by batch.
 */
export async function inspectDataset(
  dataset: Dataset,
  purpose: Purpose,
  { limit = 1000 }: { readonly limit?: number } = {},
): Promise<readonly DataFinding[]> {
  const findings: DataFinding[] = [];
  if (dataset.length < LEAST[purpose]) {
    const message = `${dataset.length} samples, ${purpose} takes ${LEAST[purpose]} or more`;
    findings.push({ kind: "too-few", message });
  }
  if (dataset.columns.some(({ name }) => name === "label")) {
    const labels = new Set(await readLabels(dataset));
    if (labels.size === 1) {
      const message = `all ${dataset.length} samples have the label ${[...labels][0]}`;
      findings.push({ kind: "one-label", message });
    }
  }
  return [...findings, ...(await inspectInputs(dataset, Math.min(limit, dataset.length)))];
}

async function inspectInputs(dataset: Dataset, count: number): Promise<readonly DataFinding[]> {
  const findings: DataFinding[] = [];
  let isAllTheSame = count > 1;
  for (const { name, dataType, shape } of dataset.columns) {
    if (TARGETS.includes(name) || dataType === "string") continue;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    let first: readonly unknown[] | null = null;
    for (const rows of batched(allRows(count), shape === null ? 1 : 64)) {
      const batch = await dataset.batch(rows, [name]);
      const { data, dims } = batch.get(name) as TensorValue;
      const odd = firstNonFinite(data as ArrayLike<number | bigint>);
      if (odd !== null) {
        const row = rows[Math.floor(odd / sizeOf(dims.slice(1)))];
        const message = `row ${row} of column ${name} holds ${String(data[odd])}`;
        findings.push({ kind: "non-finite", message });
        break;
      }
      const size = sizeOf(dims.slice(1));
      first ??= Array.from<unknown>(data.slice(0, size) as ArrayLike<unknown>);
      for (let at = 0; isAllTheSame && at < data.length; at++) {
        isAllTheSame = Object.is(data[at], first[at % size]);
      }
      for (const value of data) {
        low = Math.min(low, Number(value));
        high = Math.max(high, Number(value));
      }
    }
    if (low === high && count > 1) {
      const message = `column ${name} holds nothing but ${low} in ${count} rows`;
      findings.push({ kind: "constant-input", message });
    }
  }
  if (isAllTheSame && findings.length === 0) {
    findings.push({ kind: "constant-input", message: `all ${count} samples are the same` });
  }
  return findings;
}

function firstNonFinite(data: ArrayLike<number | bigint>): number | null {
  for (let at = 0; at < data.length; at++) {
    if (!Number.isFinite(Number(data[at]))) return at;
  }
  return null;
}

/** Throws UserError for the first finding, unless its kind is allowed. */
export function refuse(
  dataset: Dataset,
  findings: readonly DataFinding[],
  allowed: readonly DataFinding["kind"][] = [],
): void {
  const found = findings.find(({ kind }) => !allowed.includes(kind));
  if (found === undefined) return;
  throw new UserError("invalid-input", `${dataset.name}: ${found.message}`, {
    hint: "Give other samples; or allow it on purpose, and the report says so.",
  });
}

/** Throws UserError for labels that a model of so many classes cannot give, naming the first row. */
export async function checkClassCount(
  dataset: Dataset,
  classes: number,
  column = "label",
): Promise<void> {
  const labels = await readLabels(dataset, column);
  const row = labels.findIndex((label) => label < 0 || label >= classes);
  if (row === -1) return;
  const fault = `row ${row} of ${dataset.name} has label ${labels[row]}, the model ${classes} classes`;
  throw new UserError("invalid-input", fault, {
    hint: `Labels must be whole numbers from 0 to ${classes - 1}; did the classes come in another order or number?`,
  });
}
