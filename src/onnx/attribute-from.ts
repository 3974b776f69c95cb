// Attributes from plain JavaScript values. The operator's schema tells the kind: `1` is an int for
// `axis` and a float for `alpha`.

import { suggest } from "../core/index.ts";
import type { Attribute, Graph, SparseTensor, Tensor, ValueType } from "./model.ts";
import { ModelError } from "./model-error.ts";
import type { AttributeKind, OperatorSchema } from "./operator-table.ts";

/** A value with its kind, where no schema tells it or the schema is not to be asked. */
type ExplicitAttribute = Attribute extends infer A
  ? A extends Attribute
    ? Pick<A, "kind" | "value">
    : never
  : never;

/** What an attribute may be given as. Booleans stand for the ints 0 and 1. */
export type AttributeValue =
  | number
  | bigint
  | boolean
  | string
  | Uint8Array
  | readonly number[]
  | readonly bigint[]
  | readonly string[]
  | Tensor
  | Graph
  | readonly Graph[]
  | SparseTensor
  | ValueType
  | ExplicitAttribute;

/** Attributes by name; one that is undefined is left out. */
export type AttributeValues = Readonly<Record<string, AttributeValue | undefined>>;

const utf8 = new TextEncoder();

/**
 * The attributes of a node. Throws ModelError for a name that the operator does not have, for a value
 * that is not of its kind and, for operators without a schema (null), for values that could be of
 * several kinds.
 */
export function attributesFrom(
  values: AttributeValues,
  schema: OperatorSchema | null,
  where: string,
): readonly Attribute[] {
  return Object.entries(values).flatMap(([name, value]): Attribute[] => {
    if (value === undefined) return [];
    if (isExplicit(value)) return [{ name, ...value } as Attribute];
    const kind = schema === null ? obviousKind(value) : declaredKind(name, schema, where);
    if (kind === null) {
      throw new ModelError(`the kind of attribute "${name}" is not clear`, where, {
        hint: 'Write it as { kind: "float", value: 1 }: the operator is not a known one.',
      });
    }
    const made = make(kind, value);
    if (made !== null) return [{ name, ...made } as Attribute];
    throw new ModelError(`attribute "${name}" cannot be ${describe(value)}`, where, {
      hint: `The operator has it as ${kind}.`,
    });
  });
}

function declaredKind(name: string, schema: OperatorSchema, where: string): AttributeKind {
  const declared = schema.attributes.get(name);
  if (declared !== undefined) return declared.kind;
  const near = suggest(name, schema.attributes.keys());
  const version = `${schema.name} (since opset ${schema.since})`;
  throw new ModelError(`${version} has no attribute "${name}"`, where, {
    hint: near === null ? "See the operator's specification." : `Did you mean "${near}"?`,
  });
}

/** The kind of a value that can have but one; null for the others. */
function obviousKind(value: AttributeValue): AttributeKind | null {
  if (typeof value === "bigint" || typeof value === "boolean") return "int";
  if (typeof value === "string" || value instanceof Uint8Array) return "string";
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item === "bigint")) return "ints";
    return value.every((item) => typeof item === "string") ? "strings" : null;
  }
  if (typeof value !== "object") return null;
  if ("dims" in value && "dataType" in value) return "tensor";
  return "nodes" in value ? "graph" : null;
}

function make(kind: AttributeKind, value: AttributeValue): ExplicitAttribute | null {
  switch (kind) {
    case "float":
      return typeof value === "number" ? { kind, value } : null;
    case "int":
      return isInteger(value) ? { kind, value: BigInt(value) } : null;
    case "string": {
      if (value instanceof Uint8Array) return { kind, value };
      return typeof value === "string" ? { kind, value: utf8.encode(value) } : null;
    }
    case "floats":
      return listOf(value, isNumber, (items) => ({ kind, value: items }));
    case "ints":
      return listOf(value, isInteger, (items) => ({ kind, value: items.map(BigInt) }));
    case "strings":
      return listOf(value, isText, (items) => ({
        kind,
        value: items.map((item) => utf8.encode(item)),
      }));
    case "tensor":
      return isObject(value, "dims") ? { kind, value: value as Tensor } : null;
    case "graph":
      return isObject(value, "nodes") ? { kind, value: value as Graph } : null;
    case "sparseTensor":
      return isObject(value, "dims") ? { kind, value: value as SparseTensor } : null;
    case "type":
      return isObject(value, "kind") ? { kind, value: value as ValueType } : null;
    case "graphs":
      return Array.isArray(value) ? { kind, value: value as readonly Graph[] } : null;
    case "tensors":
    case "sparseTensors":
    case "types":
      return null;
    default:
      return kind satisfies never;
  }
}

function listOf<T>(
  value: AttributeValue,
  is: (item: unknown) => item is T,
  build: (items: readonly T[]) => ExplicitAttribute,
): ExplicitAttribute | null {
  if (!Array.isArray(value)) return null;
  const items: readonly unknown[] = value;
  return items.every(is) ? build(items) : null;
}

const isNumber = (value: unknown): value is number => typeof value === "number";
const isText = (value: unknown): value is string => typeof value === "string";
const isInteger = (value: unknown): value is number | bigint | boolean =>
  typeof value === "bigint" || typeof value === "boolean" || Number.isSafeInteger(value);

/** A kind with a value, as opposed to a type, which has a kind only. */
function isExplicit(value: AttributeValue): value is ExplicitAttribute {
  return isObject(value, "kind") && "value" in value;
}

function isObject(value: AttributeValue, key: string): value is AttributeValue & object {
  return typeof value === "object" && !Array.isArray(value) && key in value;
}

function describe(value: AttributeValue): string {
  if (Array.isArray(value)) return "this list";
  return typeof value === "object" ? "this object" : `${typeof value} ${value}`;
}
