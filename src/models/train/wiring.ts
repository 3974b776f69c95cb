// Which column of a dataset goes into which input of a graph, and the batch as the graph takes it.

import { UserError } from "../../core/index.ts";
import { sizeOf, type TensorElements, type TensorValue } from "../../engine/index.ts";
import type { DataType, Model } from "../../onnx/index.ts";
import type { Column, Dataset } from "../data/index.ts";
import { graphOf } from "./graph-surgery.ts";
import type { TargetInput } from "./with-loss.ts";

/** An input of a graph and the column that feeds it. */
export interface Wire {
  readonly input: string;
  readonly column: string;
  readonly dataType: DataType;
  /** Sizes of one sample. */
  readonly dims: readonly number[];
}

/** Columns by the names of inputs and of a loss's targets, where they are not to be guessed. */
export type WiringChoice = Readonly<Record<string, string>>;

/** Names under which the truth stands in datasets, in the order in which they are looked for. */
const TRUTHS: readonly string[] = ["label", "labels", "target", "targets", "class", "y"];

/** What losses ask for beside the predictions; a choice may name a column for each. */
const ROLES: ReadonlySet<string> = new Set(["labels", "targets", "probabilities", "teacher"]);

/** The columns of a dataset that are not the truth. */
const featuresOf = ({ columns }: Dataset): readonly Column[] =>
  columns.filter(({ name }) => !TRUTHS.includes(name));

/**
 * Columns for the inputs of a model: those of the same name, else the only column that is no label for
 * the only input. Throws UserError where that is not clear, naming both sides.
 */
export function wireInputs(
  model: Model,
  dataset: Dataset,
  choice: WiringChoice = {},
): readonly Wire[] {
  const inputs = graphOf(model).inputs;
  refuseUnknown(
    choice,
    inputs.map(({ name }) => name),
  );
  const features = featuresOf(dataset);
  return inputs.map(({ name, type }) => {
    const column =
      columnNamed(dataset, choice[name] ?? name) ??
      (inputs.length === 1 && features.length === 1 && choice[name] === undefined
        ? features[0]
        : undefined);
    if (column === undefined) throw notWired(name, dataset, choice[name]);
    const elementType = type?.kind === "tensor" ? type.elementType : null;
    const declared = type?.kind === "tensor" ? type.shape?.slice(1) : undefined;
    const dims = sampleDims(column, declared?.map(({ value }) => value) ?? null, name, dataset);
    return { input: name, column: column.name, dataType: elementType ?? column.dataType, dims };
  });
}

/** A choice for what is not there would do nothing, and nobody would notice. */
function refuseUnknown(choice: WiringChoice, inputs: readonly string[]): void {
  const unknown = Object.keys(choice).find((name) => !ROLES.has(name) && !inputs.includes(name));
  if (unknown === undefined) return;
  throw new UserError("invalid-input", `the model has no input "${unknown}"`, {
    hint: `Its inputs are ${inputs.join(", ")}; the truth goes by labels or targets.`,
  });
}

/** Columns for the targets of a loss: by choice, by their role, else the dataset's label or target. */
export function wireTargets(
  targets: readonly TargetInput[],
  dataset: Dataset,
  choice: WiringChoice = {},
): readonly Wire[] {
  return targets.map(({ role, input, dataType, dims }) => {
    const named = choice[role] ?? role;
    const column =
      columnNamed(dataset, named) ??
      (choice[role] === undefined && (role === "labels" || role === "targets")
        ? TRUTHS.map((name) => columnNamed(dataset, name)).find((found) => found !== undefined)
        : undefined);
    if (column === undefined) throw notWired(role, dataset, choice[role]);
    requireSize(role, dims.slice(1), { column, dataset });
    return { input, column: column.name, dataType, dims: dims.slice(1) };
  });
}

/** Whether a column has as many numbers a sample as a loss compares. */
function requireSize(
  role: string,
  dims: readonly number[],
  { column, dataset }: { readonly column: Column; readonly dataset: Dataset },
): void {
  if (column.shape === null || sizeOf(column.shape) === sizeOf(dims)) return;
  const has = `column ${column.name} of ${dataset.name} has [${column.shape.join(", ")}]`;
  throw new UserError(
    "invalid-input",
    `the loss takes ${role} of [${dims.join(", ")}] a sample, ${has}`,
    {
      hint: `Choose another loss (cross-entropy takes a class a sample), or a column with --map ${role}=COLUMN.`,
    },
  );
}

/** The column of a dataset that holds the truth. Throws UserError where there is none. */
export function truthColumn(dataset: Dataset, choice: WiringChoice = {}): string {
  const chosen = choice["labels"] ?? choice["targets"];
  const names = chosen === undefined ? TRUTHS : [chosen];
  const found = names.find((name) => columnNamed(dataset, name) !== undefined);
  if (found === undefined) throw notWired("labels", dataset, chosen);
  return found;
}

const columnNamed = ({ columns }: Dataset, name: string): Column | undefined =>
  columns.find((column) => column.name === name);

function notWired(what: string, dataset: Dataset, chosen: string | undefined): UserError {
  const names = dataset.columns.map(({ name }) => name).join(", ");
  const fault =
    chosen === undefined
      ? `dataset ${dataset.name} has no column for "${what}"`
      : `dataset ${dataset.name} has no column "${chosen}"`;
  return new UserError("invalid-input", fault, {
    hint: `Its columns are ${names}; name one with --map ${what}=COLUMN.`,
  });
}

/** Sizes of a sample: those the model states, which must hold as many numbers as the column's. */
function sampleDims(
  column: Column,
  declared: readonly (bigint | undefined)[] | null,
  input: string,
  dataset: Dataset,
): readonly number[] {
  const open = declared === null || declared.some((size) => size === undefined);
  const stated = open ? null : (declared ?? []).map(Number);
  if (column.shape === null) {
    if (stated !== null) return stated;
    throw new UserError("invalid-input", `samples of ${dataset.name} differ in size`, {
      hint: "Give them one size, or the model a fixed one.",
    });
  }
  if (stated === null) {
    const fits =
      declared === null ||
      (declared.length === column.shape.length &&
        declared.every(
          (size, axis) => size === undefined || Number(size) === column.shape?.[axis],
        ));
    if (fits) return column.shape;
  } else if (sizeOf(stated) === sizeOf(column.shape)) return stated;
  const [wants, has] = [(declared ?? []).map((size) => size ?? "?"), column.shape];
  throw new UserError(
    "invalid-input",
    `input "${input}" takes samples of [${wants.join(", ")}], column ${column.name} of ${dataset.name} has [${has.join(", ")}]`,
    { hint: "Resize the data, or build the model for it." },
  );
}

/** The tensors of a batch under the names of the inputs, in their types and sizes. */
export function wired(
  batch: ReadonlyMap<string, TensorValue>,
  wires: readonly Wire[],
): Readonly<Record<string, TensorValue>> {
  const fed = wires.map(({ input, column, dataType, dims }) => {
    const value = batch.get(column);
    if (value === undefined) throw new TypeError(`a batch without its column ${column}`);
    const data = converted(value.data, dataType, column);
    return [input, { dataType, dims: [value.dims[0] ?? 0, ...dims], data }] as const;
  });
  return Object.fromEntries(fed);
}

/** The numbers in another type where that is needed. */
function converted(data: TensorElements, dataType: DataType, column: string): TensorElements {
  const numbers = data as ArrayLike<number | bigint>;
  switch (dataType) {
    case "float32":
      return data instanceof Float32Array ? data : Float32Array.from(numbers, Number);
    case "int64":
      return data instanceof BigInt64Array
        ? data
        : BigInt64Array.from(numbers, (value) => BigInt(value));
    case "int32":
      return data instanceof Int32Array ? data : Int32Array.from(numbers, Number);
    case "uint8":
    case "bool":
      return data instanceof Uint8Array ? data : Uint8Array.from(numbers, Number);
    default:
      throw new UserError("unsupported", `column ${column} cannot be fed as ${dataType}`, {
        hint: "Inputs of models that are trained here take float32, int32, int64, uint8 or bool.",
      });
  }
}
