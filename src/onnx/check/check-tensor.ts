// A stored tensor: do its dimensions and its data agree?

import { BITS, elementCount } from "../elements.ts";
import type { SparseTensor, Tensor } from "../model.ts";
import { ModelError } from "../model-error.ts";
import type { Findings } from "./diagnostic.ts";

const REMEDY = "Export the model again: its weights are damaged or were written wrongly.";

/** Adds what is wrong with a tensor. Its data is measured, not read. */
export function checkTensor(tensor: Tensor, path: string, findings: Findings): void {
  const fault = tensorFault(tensor);
  if (fault !== null) findings.error("tensor", path, { message: fault, remedy: REMEDY });
}

/** Adds what is wrong with a sparse tensor (onnx.proto, SparseTensorProto). */
export function checkSparseTensor(sparse: SparseTensor, path: string, findings: Findings): void {
  const { values, indices, dims } = sparse;
  const fault = (message: string): void =>
    findings.error("tensor", path, { message, remedy: REMEDY });
  if (values !== undefined) checkTensor(values, `${path}.values`, findings);
  if (indices !== undefined) checkTensor(indices, `${path}.indices`, findings);
  if (values?.dims.length !== 1) {
    fault("a sparse tensor without a row of values");
    return;
  }
  if (indices === undefined) {
    if (values.dims[0] !== 0n) fault("a sparse tensor without indices");
    return;
  }
  const [count, coordinates] = indices.dims;
  const linear = indices.dims.length === 1;
  if (indices.dataType !== "int64") fault("indices of a sparse tensor that are not int64");
  if (count !== values.dims[0]) fault(`${count} indices for ${values.dims[0]} values`);
  if (!linear && coordinates !== BigInt(dims.length)) {
    fault(`indices with ${coordinates} coordinates in a tensor of ${dims.length} dimensions`);
  }
}

function tensorFault(tensor: Tensor): string | null {
  const { dataType, data } = tensor;
  if (dataType === null) return `elements of the unknown type ${tensor.dataTypeNumber ?? 0}`;
  let count: number;
  try {
    count = elementCount(tensor);
  } catch (error) {
    if (error instanceof ModelError) return error.message;
    throw error;
  }
  const bits = BITS[dataType];
  const says = `where the dimensions [${tensor.dims.slice(0, 16).join(", ")}] say`;
  const bytes = bits === null ? null : Math.ceil((count * bits) / 8);
  switch (data.kind) {
    case "none":
      return count === 0 ? null : `no data ${says} ${count} elements`;
    case "raw":
      if (bytes === null) return "texts stored as raw bytes";
      return data.payload.length === bytes ? null : `${data.payload.length} bytes ${says} ${bytes}`;
    case "external":
      return externalFault(data.entries, bytes, says);
    default: {
      const expected = entriesFor(tensor, count);
      if (expected === null) return `${dataType} elements in the field of ${data.kind}`;
      return data.values.length === expected
        ? null
        : `${data.values.length} elements ${says} ${expected}`;
    }
  }
}

function externalFault(
  entries: readonly { readonly key?: string; readonly value?: string }[],
  bytes: number | null,
  says: string,
): string | null {
  const of = new Map(entries.map(({ key, value }) => [key, value]));
  if ((of.get("location") ?? "") === "") return "external data without a location";
  const length = of.get("length");
  if (bytes === null) return "texts in an external file";
  return length === undefined || length === String(bytes)
    ? null
    : `${length} bytes ${says} ${bytes}`;
}

/** Entries that a typed field must hold; null when the field is not one for the type (onnx.proto). */
function entriesFor({ dataType, data }: Tensor, count: number): number | null {
  switch (data.kind) {
    case "float32":
      return dataType === "float32" ? count : dataType === "complex64" ? 2 * count : null;
    case "float64":
      return dataType === "float64" ? count : dataType === "complex128" ? 2 * count : null;
    case "int64":
      return dataType === "int64" ? count : null;
    case "uint64":
      return dataType === "uint64" || dataType === "uint32" ? count : null;
    case "string":
      return dataType === "string" ? count : null;
    case "int32": {
      const bits = dataType === null ? null : BITS[dataType];
      if (bits === 4) return Math.ceil(count / 2);
      return dataType === "int32" || bits === 8 || bits === 16 ? count : null;
    }
    default:
      return null;
  }
}
