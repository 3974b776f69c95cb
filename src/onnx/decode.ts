// Bytes to a model, message by message, by the field numbers of onnx.proto. What has no name here is
// kept in `unknown`. Weights are not read.

import type { ByteSource } from "./byte-source.ts";
import { decodeAttribute } from "./decode-attribute.ts";
import { decodeEntry } from "./decode-entry.ts";
import { decodeSparseTensor, decodeTensor } from "./decode-tensor.ts";
import { decodeValueType } from "./decode-type.ts";
import { recogniseForeignFile } from "./foreign-file.ts";
import type {
  Attribute,
  FunctionDefinition,
  Graph,
  Model,
  Node,
  OpsetImport,
  SparseTensor,
  StringEntry,
  Tensor,
  ValueInfo,
} from "./model.ts";
import { ModelError } from "./model-error.ts";
import { readFields } from "./read-fields.ts";
import { WireReader } from "./wire-reader.ts";

/** The model in a file or in memory. Throws ModelError that says what is wrong and where. */
export function decodeModel(source: ByteSource): Model {
  recogniseForeignFile(source);
  const model = decodeModelMessage(new WireReader(source, { start: 0, end: source.size }));
  if (model.graph === undefined && model.functions.length === 0) {
    throw new ModelError("no ONNX model: the file holds no graph", "", {
      hint: "Check that the file is an .onnx file and that it was copied whole.",
    });
  }
  return model;
}

function decodeModelMessage(reader: WireReader): Model {
  const opsetImports: OpsetImport[] = [];
  const metadata: StringEntry[] = [];
  const functions: FunctionDefinition[] = [];
  const rest: { -readonly [K in keyof Model]?: Model[K] } = {};
  const unknown = readFields(reader, {
    1: () => {
      rest.irVersion = reader.int64();
    },
    2: () => {
      rest.producerName = reader.text();
    },
    3: () => {
      rest.producerVersion = reader.text();
    },
    4: () => {
      rest.domain = reader.text();
    },
    5: () => {
      rest.modelVersion = reader.int64();
    },
    6: () => {
      rest.docString = reader.text();
    },
    7: () => {
      rest.graph = decodeGraph(reader.message(() => "graph"));
    },
    8: () => opsetImports.push(decodeOpset(reader.message(() => "opset_import"))),
    14: () => metadata.push(decodeEntry(reader.message(() => "metadata_props"))),
    25: () =>
      functions.push(decodeFunction(reader.message(() => `functions[${functions.length}]`))),
  });
  return { ...rest, opsetImports, metadata, functions, ...unknown };
}

function decodeGraph(reader: WireReader): Graph {
  const nodes: Node[] = [];
  const initializers: Tensor[] = [];
  const sparseInitializers: SparseTensor[] = [];
  const inputs: ValueInfo[] = [];
  const outputs: ValueInfo[] = [];
  const valueInfos: ValueInfo[] = [];
  const metadata: StringEntry[] = [];
  const rest: { name?: string; docString?: string } = {};
  const at = (name: string, list: readonly unknown[]) => () => `${name}[${list.length}]`;
  const unknown = readFields(reader, {
    1: () => nodes.push(decodeNode(reader.message(at("node", nodes)))),
    2: () => {
      rest.name = reader.text();
    },
    5: () => initializers.push(decodeTensor(reader.message(at("initializer", initializers)))),
    10: () => {
      rest.docString = reader.text();
    },
    11: () => inputs.push(decodeValueInfo(reader.message(at("input", inputs)))),
    12: () => outputs.push(decodeValueInfo(reader.message(at("output", outputs)))),
    13: () => valueInfos.push(decodeValueInfo(reader.message(at("value_info", valueInfos)))),
    15: () =>
      sparseInitializers.push(
        decodeSparseTensor(reader.message(at("sparse_initializer", sparseInitializers))),
      ),
    16: () => metadata.push(decodeEntry(reader.message(at("metadata_props", metadata)))),
  });
  return {
    ...rest,
    nodes,
    initializers,
    sparseInitializers,
    inputs,
    outputs,
    valueInfos,
    metadata,
    ...unknown,
  };
}

function decodeNode(reader: WireReader): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes: Attribute[] = [];
  const metadata: StringEntry[] = [];
  let opType = "";
  const rest: { name?: string; docString?: string; domain?: string; overload?: string } = {};
  const unknown = readFields(reader, {
    1: () => inputs.push(reader.text()),
    2: () => outputs.push(reader.text()),
    3: () => {
      rest.name = reader.text();
    },
    4: () => {
      opType = reader.text();
    },
    5: () =>
      attributes.push(
        decodeAttribute(
          reader.message(() => `attribute[${attributes.length}]`),
          decodeGraph,
        ),
      ),
    6: () => {
      rest.docString = reader.text();
    },
    7: () => {
      rest.domain = reader.text();
    },
    8: () => {
      rest.overload = reader.text();
    },
    9: () => metadata.push(decodeEntry(reader.message(() => "metadata_props"))),
  });
  return { ...rest, opType, inputs, outputs, attributes, metadata, ...unknown };
}

function decodeFunction(reader: WireReader): FunctionDefinition {
  const lists = {
    inputs: [] as string[],
    outputs: [] as string[],
    attributes: [] as string[],
    attributeDefaults: [] as Attribute[],
    nodes: [] as Node[],
    opsetImports: [] as OpsetImport[],
    valueInfos: [] as ValueInfo[],
    metadata: [] as StringEntry[],
  };
  let name = "";
  const rest: { docString?: string; domain?: string; overload?: string } = {};
  const unknown = readFields(reader, {
    1: () => {
      name = reader.text();
    },
    4: () => lists.inputs.push(reader.text()),
    5: () => lists.outputs.push(reader.text()),
    6: () => lists.attributes.push(reader.text()),
    7: () => lists.nodes.push(decodeNode(reader.message(() => `node[${lists.nodes.length}]`))),
    8: () => {
      rest.docString = reader.text();
    },
    9: () => lists.opsetImports.push(decodeOpset(reader.message(() => "opset_import"))),
    10: () => {
      rest.domain = reader.text();
    },
    11: () =>
      lists.attributeDefaults.push(
        decodeAttribute(
          reader.message(() => "attribute_proto"),
          decodeGraph,
        ),
      ),
    12: () => lists.valueInfos.push(decodeValueInfo(reader.message(() => "value_info"))),
    13: () => {
      rest.overload = reader.text();
    },
    14: () => lists.metadata.push(decodeEntry(reader.message(() => "metadata_props"))),
  });
  return { ...rest, name, ...lists, ...unknown };
}

function decodeValueInfo(reader: WireReader): ValueInfo {
  const metadata: StringEntry[] = [];
  let name = "";
  const rest: { type?: NonNullable<ValueInfo["type"]>; docString?: string } = {};
  const unknown = readFields(reader, {
    1: () => {
      name = reader.text();
    },
    2: () => {
      rest.type = decodeValueType(reader.message(() => "type"));
    },
    3: () => {
      rest.docString = reader.text();
    },
    4: () => metadata.push(decodeEntry(reader.message(() => "metadata_props"))),
  });
  return { ...rest, name, metadata, ...unknown };
}

function decodeOpset(reader: WireReader): OpsetImport {
  const rest: { domain?: string; version?: bigint } = {};
  const unknown = readFields(reader, {
    1: () => {
      rest.domain = reader.text();
    },
    2: () => {
      rest.version = reader.int64();
    },
  });
  return { ...rest, ...unknown };
}
