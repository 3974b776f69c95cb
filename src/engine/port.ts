// The inputs and outputs of a graph, and what may be put into them.

import { suggest, UserError } from "../core/index.ts";
import type { DataType, ValueInfo } from "../onnx/index.ts";
import { DATA_TYPES } from "../onnx/index.ts";
import type { BindingPort } from "./binding.ts";
import {
  arrayNameOf,
  fitsType,
  isPassable,
  isTensorValue,
  sizeOf,
  type TensorElements,
  type TensorValue,
} from "./tensor-value.ts";

/** An input or output of a graph. */
export interface Port {
  readonly name: string;
  /** Null for sequences and maps, which cannot be fed or fetched. */
  readonly dataType: DataType | null;
  /** Sizes; a name or null where they vary. Null when the rank itself is not known. */
  readonly dims: readonly (number | string | null)[] | null;
}

/** What a port of the model is, by ONNX Runtime's account and the file's. */
export function portOf(port: BindingPort, declared: ValueInfo | undefined): Port {
  const dataType = port.type !== undefined && port.type in DATA_TYPES ? port.type : null;
  const sizes = (port.shape ?? []).map((size) => (size === "" ? null : size));
  const type = declared?.type;
  // ONNX Runtime gives [] both for a scalar and for an unknown rank; the file tells them apart.
  const scalar = type?.kind === "tensor" && type.shape?.length === 0;
  return {
    name: port.name,
    dataType: port.isTensor ? (dataType as DataType | null) : null,
    dims: sizes.length > 0 || scalar ? sizes : null,
  };
}

/** Bare elements, where the port's dimensions leave at most one size open, or a whole tensor. */
export type Feed = TensorValue | TensorElements;

/** Type and dimensions as one reads them: `float32 [batch, 3, 224, 224]`. */
export function portText(port: Port): string {
  const dims =
    port.dims === null ? "of any rank" : `[${port.dims.map((d) => d ?? "?").join(", ")}]`;
  return `${port.dataType ?? "no tensor"} ${dims}`;
}

/** The port of a name. Throws UserError that lists the names there are. */
export function portNamed(
  ports: readonly Port[],
  name: string,
  side: "input" | "output",
  model: string,
): Port {
  const port = ports.find((candidate) => candidate.name === name);
  if (port !== undefined) return port;
  const names = ports.map((candidate) => candidate.name);
  const near = suggest(name, names);
  throw new UserError("invalid-input", `${model} has no ${side} "${name}"`, {
    hint: near === null ? `Its ${side}s are: ${names.join(", ")}.` : `Did you mean "${near}"?`,
  });
}

/** A tensor that fits the port. Throws UserError naming the port, what it takes and what it got. */
export function fitFeed(port: Port, feed: Feed, model: string): TensorValue {
  const refuse = (fault: string, hint: string): UserError =>
    new UserError("invalid-input", `input "${port.name}" of ${model} ${fault}`, { hint });
  const { dataType } = port;
  if (dataType === null || !isPassable(dataType)) {
    const what = dataType === null ? "is no tensor" : `takes ${dataType} elements`;
    throw new UserError("unsupported", `input "${port.name}" of ${model} ${what}`, {
      hint: "ONNX Runtime's JavaScript interface cannot pass these; put a Cast in front of it.",
    });
  }
  const bare = !isTensorValue(feed);
  const data = bare ? feed : feed.data;
  const given = bare ? data.constructor.name : feed.dataType;
  if (!fitsType(data, dataType) || (!bare && feed.dataType !== dataType)) {
    throw refuse(`takes ${dataType}, not ${given}`, `Give ${arrayNameOf(dataType)} for it.`);
  }
  const dims = bare ? dimsFor(port, data.length, refuse) : feed.dims;
  if (!fitsDims(port, dims)) {
    throw refuse(`is ${portText(port)}, not [${dims.join(", ")}]`, "Give it in these dimensions.");
  }
  if (sizeOf(dims) !== data.length) {
    throw refuse(
      `got ${data.length} elements for [${dims.join(", ")}], which has ${sizeOf(dims)}`,
      "Give as many elements as the dimensions say.",
    );
  }
  return { dataType, dims, data };
}

function fitsDims(port: Port, dims: readonly number[]): boolean {
  if (port.dims === null) return true;
  if (port.dims.length !== dims.length) return false;
  return port.dims.every((size, axis) => typeof size !== "number" || size === dims[axis]);
}

/** Dimensions of bare elements: the port's own, the one open size by division. */
function dimsFor(
  port: Port,
  length: number,
  refuse: (fault: string, hint: string) => UserError,
): readonly number[] {
  const open = port.dims?.filter((size) => typeof size !== "number").length ?? Number.NaN;
  if (port.dims === null || open > 1) {
    const hint = "Give { dataType, dims, data } in place of bare elements.";
    throw refuse(`is ${portText(port)}: the dimensions of bare elements are not clear`, hint);
  }
  const known = sizeOf(port.dims.filter((size) => typeof size === "number"));
  const rest = known === 0 ? 0 : length / known;
  const fits = open === 1 ? Number.isInteger(rest) : known === length;
  if (!fits) throw refuse(`is ${portText(port)}, not ${length} elements`, "Check what was fed.");
  return port.dims.map((size) => (typeof size === "number" ? size : rest));
}
