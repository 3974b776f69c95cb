// AttributeProto: one attribute of a node. Its kind is stated in `type`; files older than IR version
// 2 leave that out, and then the field that is present tells.

import { decodeSparseTensor, decodeTensor } from "./decode-tensor.ts";
import { decodeValueType } from "./decode-type.ts";
import type { Attribute, Graph, SparseTensor, Tensor, ValueType } from "./model.ts";
import { readFields } from "./read-fields.ts";
import type { WireReader } from "./wire-reader.ts";

/** AttributeProto.AttributeType, in order of its numbers. */
export const ATTRIBUTE_KINDS = [
  "undefined",
  "float",
  "int",
  "string",
  "tensor",
  "graph",
  "floats",
  "ints",
  "strings",
  "tensors",
  "graphs",
  "sparseTensor",
  "sparseTensors",
  "type",
  "types",
] as const;

/** Every field of the message that can hold a value. */
interface AttributeFields {
  float?: number;
  int?: bigint;
  string?: Uint8Array;
  tensor?: Tensor;
  graph?: Graph;
  sparseTensor?: SparseTensor;
  type?: ValueType;
  reference?: string;
  readonly floats: number[];
  readonly ints: bigint[];
  readonly strings: Uint8Array[];
  readonly tensors: Tensor[];
  readonly graphs: Graph[];
  readonly sparseTensors: SparseTensor[];
  readonly types: ValueType[];
}

/**
 * An attribute. Throws ModelError for one that has neither type nor value. Graphs hold nodes, nodes
 * attributes, and attributes graphs: how to decode a graph is handed in.
 */
export function decodeAttribute(
  reader: WireReader,
  decodeGraph: (reader: WireReader) => Graph,
): Attribute {
  const fields: AttributeFields = {
    floats: [],
    ints: [],
    strings: [],
    tensors: [],
    graphs: [],
    sparseTensors: [],
    types: [],
  };
  let name = "";
  let stated = 0;
  const rest: { docString?: string } = {};
  const unknown = readFields(reader, {
    1: () => {
      name = reader.text();
    },
    2: () => {
      fields.float = reader.float32();
    },
    3: () => {
      fields.int = reader.int64();
    },
    4: () => {
      fields.string = reader.bytes().slice();
    },
    5: () => {
      fields.tensor = decodeTensor(reader.message(() => name));
    },
    6: () => {
      fields.graph = decodeGraph(reader.message(() => name));
    },
    7: () => reader.float32s(fields.floats),
    8: () => reader.int64s(fields.ints),
    9: () => fields.strings.push(reader.bytes().slice()),
    10: () => fields.tensors.push(decodeTensor(reader.message(() => name))),
    11: () => fields.graphs.push(decodeGraph(reader.message(() => name))),
    13: () => {
      rest.docString = reader.text();
    },
    14: () => {
      fields.type = decodeValueType(reader.message(() => name));
    },
    15: () => fields.types.push(decodeValueType(reader.message(() => name))),
    20: () => {
      stated = reader.int32();
    },
    21: () => {
      fields.reference = reader.text();
    },
    22: () => {
      fields.sparseTensor = decodeSparseTensor(reader.message(() => name));
    },
    23: () => fields.sparseTensors.push(decodeSparseTensor(reader.message(() => name))),
  });
  const base = { name, ...rest, ...unknown };
  if (fields.reference !== undefined) {
    return { ...base, kind: "reference", value: fields.reference, type: stated };
  }
  const kind = ATTRIBUTE_KINDS[stated];
  if (kind === undefined) return reader.fail(`attribute "${name}" has the unknown type ${stated}`);
  const value = kind === "undefined" ? present(fields) : ofKind(fields, kind);
  if (value === null) return reader.fail(`attribute "${name}" has no value`);
  return { ...base, ...value } as Attribute;
}

/** A union over kinds, without what all attributes share. */
type KindAndValue = Attribute extends infer A
  ? A extends Attribute
    ? Pick<A, "kind" | "value">
    : never
  : never;

function ofKind(
  fields: AttributeFields,
  kind: Exclude<(typeof ATTRIBUTE_KINDS)[number], "undefined">,
): KindAndValue | null {
  switch (kind) {
    // Writers of the newer protobuf syntax leave zeros and empty texts out.
    case "float":
      return { kind, value: fields.float ?? 0 };
    case "int":
      return { kind, value: fields.int ?? 0n };
    case "string":
      return { kind, value: fields.string ?? new Uint8Array(0) };
    case "tensor":
      return fields.tensor === undefined ? null : { kind, value: fields.tensor };
    case "graph":
      return fields.graph === undefined ? null : { kind, value: fields.graph };
    case "sparseTensor":
      return fields.sparseTensor === undefined ? null : { kind, value: fields.sparseTensor };
    case "type":
      return fields.type === undefined ? null : { kind, value: fields.type };
    case "floats":
      return { kind, value: fields.floats };
    case "ints":
      return { kind, value: fields.ints };
    case "strings":
      return { kind, value: fields.strings };
    case "tensors":
      return { kind, value: fields.tensors };
    case "graphs":
      return { kind, value: fields.graphs };
    case "sparseTensors":
      return { kind, value: fields.sparseTensors };
    case "types":
      return { kind, value: fields.types };
    default:
      return kind satisfies never;
  }
}

/** The value of the one field that is there, when no type is stated. */
function present(fields: AttributeFields): KindAndValue | null {
  if (fields.float !== undefined) return { kind: "float", value: fields.float };
  if (fields.int !== undefined) return { kind: "int", value: fields.int };
  if (fields.string !== undefined) return { kind: "string", value: fields.string };
  if (fields.tensor !== undefined) return { kind: "tensor", value: fields.tensor };
  if (fields.graph !== undefined) return { kind: "graph", value: fields.graph };
  const lists = ["floats", "ints", "strings", "tensors", "graphs"] as const;
  const kind = lists.find((list) => fields[list].length > 0);
  return kind === undefined ? null : ofKind(fields, kind);
}
