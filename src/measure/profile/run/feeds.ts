// Inputs to run a model with when nobody gave any: random floats, and ones wherever an integer is an
// index, a length or a mask, so that none points beyond what it indexes.

import { createRandom, UserError } from "../../../core/index.ts";
import type { TensorValue } from "../../../engine/index.ts";
import { type DataType, inferShapes, type Model, type ShapeOptions } from "../../../onnx/index.ts";

export interface FeedOptions extends ShapeOptions {
  /** Inputs that were given, by name. */
  readonly given?: Readonly<Record<string, TensorValue>>;
}

/** A value for every input that is no weight. Throws UserError while a size is open. */
export function feedsFor(
  model: Model,
  options: FeedOptions = {},
): Readonly<Record<string, TensorValue>> {
  const { given = {}, values = {} } = options;
  const stored = new Set(model.graph?.initializers.map(({ name }) => name));
  const shapes = inferShapes(model, options).graph;
  const random = createRandom(1);
  const feeds = (model.graph?.inputs ?? [])
    .filter(({ name }) => !stored.has(name))
    .map(({ name }): readonly [string, TensorValue] => {
      const known = given[name];
      if (known !== undefined) return [name, known];
      const type = shapes.values.get(name);
      if (type?.kind !== "tensor" || type.shape === null || type.elementType === null)
        throw cannot(name, "is no tensor of a known rank");
      const dims = type.shape.map((size) => {
        if (typeof size === "number") return size;
        throw cannot(name, "has open sizes");
      });
      const length = dims.reduce((product, size) => product * size, 1);
      const chosen = values[name];
      const next =
        chosen === undefined ? () => random.uniform() * 2 - 1 : (at: number) => chosen[at] ?? 0;
      const data = arrayOf(type.elementType, length, next, chosen !== undefined);
      if (data === null) throw cannot(name, `holds ${type.elementType}`);
      return [name, { dataType: type.elementType, dims, data }];
    });
  return Object.fromEntries(feeds);
}

function cannot(name: string, why: string): UserError {
  return new UserError("usage", `no values can be made up for input "${name}": it ${why}`, {
    hint: "Choose sizes with --batch, --size or --input, or give the values with --feed NAME=FILE.npy.",
  });
}

/** Halves as bits: 0x3c00 is 1, and the sign is random. */
function arrayOf(
  type: DataType,
  length: number,
  next: (at: number) => number,
  chosen: boolean,
): TensorValue["data"] | null {
  const integer = (at: number): number => (chosen ? next(at) : 1);
  const index = (_: unknown, at: number): number => integer(at);
  const big = (_: unknown, at: number): bigint => BigInt(Math.round(integer(at)));
  switch (type) {
    case "float32":
      return Float32Array.from({ length }, (_, at) => next(at));
    case "float64":
      return Float64Array.from({ length }, (_, at) => next(at));
    case "float16":
      return Uint16Array.from({ length }, (_, at) => (next(at) < 0 ? 0xbc00 : 0x3c00));
    case "int64":
      return BigInt64Array.from({ length }, big);
    case "uint64":
      return BigUint64Array.from({ length }, big);
    case "int32":
      return Int32Array.from({ length }, index);
    case "uint32":
      return Uint32Array.from({ length }, index);
    case "int16":
      return Int16Array.from({ length }, index);
    case "uint16":
      return Uint16Array.from({ length }, index);
    case "int8":
      return Int8Array.from({ length }, index);
    case "uint8":
    case "bool":
      return Uint8Array.from({ length }, index);
    case "string":
      return new Array(length).fill("godwit");
    default:
      return null;
  }
}
