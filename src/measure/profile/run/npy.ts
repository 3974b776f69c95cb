// Arrays in NumPy's file format, versions 1 to 3 (numpy.lib.format), as tensors.

import { UserError } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";

type Kind = Pick<TensorValue, "dataType"> & {
  readonly size: number;
  readonly make: (buffer: ArrayBuffer) => TensorValue["data"];
};

const KINDS: Readonly<Record<string, Kind>> = {
  f4: { dataType: "float32", size: 4, make: (buffer) => new Float32Array(buffer) },
  f8: { dataType: "float64", size: 8, make: (buffer) => new Float64Array(buffer) },
  f2: { dataType: "float16", size: 2, make: (buffer) => new Uint16Array(buffer) },
  i1: { dataType: "int8", size: 1, make: (buffer) => new Int8Array(buffer) },
  u1: { dataType: "uint8", size: 1, make: (buffer) => new Uint8Array(buffer) },
  b1: { dataType: "bool", size: 1, make: (buffer) => new Uint8Array(buffer) },
  i2: { dataType: "int16", size: 2, make: (buffer) => new Int16Array(buffer) },
  i4: { dataType: "int32", size: 4, make: (buffer) => new Int32Array(buffer) },
  i8: { dataType: "int64", size: 8, make: (buffer) => new BigInt64Array(buffer) },
};

/** Reads an array. Throws UserError naming the file and what is wrong with it. */
export function readNpy(bytes: Uint8Array, path: string): TensorValue {
  const fail = (what: string): never => {
    throw new UserError("invalid-input", `${path}: ${what}`, {
      hint: "Save it with numpy.save as a plain array in C order.",
    });
  };
  const latin1 = (from: number, to: number): string =>
    String.fromCharCode(...bytes.subarray(from, to));
  if (latin1(1, 6) !== "NUMPY" || bytes.length < 12) fail("is no .npy file");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = view.getUint8(6) >= 2;
  const start = wide ? 12 : 10;
  const end = start + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length || end - start > 65_536) fail("has a header that does not end");
  const header = latin1(start, end);
  const type = /'descr':\s*'([<|=>])(\w+)'/.exec(header);
  const kind = KINDS[type?.[2] ?? ""];
  if (kind === undefined || type?.[1] === ">")
    return fail("holds elements of a type that is not read");
  if (/'fortran_order':\s*True/.test(header)) fail("is in Fortran order");
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? fail("states no shape");
  const dims = shape
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(Number);
  const length = dims.reduce((product, size) => product * size, kind.size);
  if (length !== bytes.length - end)
    fail(`holds ${bytes.length - end} bytes where its shape says ${length}`);
  return { dataType: kind.dataType, dims, data: kind.make(bytes.slice(end).buffer) };
}
