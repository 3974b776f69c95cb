// A model to bytes: the mirror of decode.ts. Fields are written in ascending order, as every writer
// of canonical files does, so that such a file comes back byte for byte.

import { ATTRIBUTE_KINDS } from "./decode-attribute.ts";
import { encodeEntry } from "./encode-entry.ts";
import { encodeSparseTensor, encodeTensor } from "./encode-tensor.ts";
import { encodeValueType } from "./encode-type.ts";
import type {
  Attribute,
  FunctionDefinition,
  Graph,
  Model,
  Node,
  OpsetImport,
  ValueInfo,
} from "./model.ts";
import { type Chunk, concat, WireWriter } from "./wire-writer.ts";

/** The bytes of a model file in one array. Throws RangeError over 2 GiB, protobuf's own limit. */
export function encodeModel(model: Model): Uint8Array {
  return concat(encodeModelChunks(model));
}

/** The same in pieces, weights as they are, for writing without a second copy in memory. */
export function encodeModelChunks(model: Model): readonly Chunk[] {
  const writer = new WireWriter();
  writer.optionalVarint(1, model.irVersion);
  writer.optionalText(2, model.producerName);
  writer.optionalText(3, model.producerVersion);
  writer.optionalText(4, model.domain);
  writer.optionalVarint(5, model.modelVersion);
  writer.optionalText(6, model.docString);
  if (model.graph !== undefined) writer.message(7, encodeGraph(model.graph));
  for (const opset of model.opsetImports) writer.message(8, encodeOpset(opset));
  for (const entry of model.metadata) writer.message(14, encodeEntry(entry));
  for (const definition of model.functions) writer.message(25, encodeFunction(definition));
  writer.verbatimAll(model.unknown);
  return writer.chunks();
}

function encodeGraph(graph: Graph): WireWriter {
  const writer = new WireWriter();
  for (const node of graph.nodes) writer.message(1, encodeNode(node));
  writer.optionalText(2, graph.name);
  for (const tensor of graph.initializers) writer.message(5, encodeTensor(tensor));
  writer.optionalText(10, graph.docString);
  for (const input of graph.inputs) writer.message(11, encodeValueInfo(input));
  for (const output of graph.outputs) writer.message(12, encodeValueInfo(output));
  for (const value of graph.valueInfos) writer.message(13, encodeValueInfo(value));
  for (const sparse of graph.sparseInitializers) writer.message(15, encodeSparseTensor(sparse));
  for (const entry of graph.metadata) writer.message(16, encodeEntry(entry));
  writer.verbatimAll(graph.unknown);
  return writer;
}

function encodeNode(node: Node): WireWriter {
  const writer = new WireWriter();
  for (const input of node.inputs) writer.text(1, input);
  for (const output of node.outputs) writer.text(2, output);
  writer.optionalText(3, node.name);
  writer.text(4, node.opType);
  for (const attribute of node.attributes) writer.message(5, encodeAttribute(attribute));
  writer.optionalText(6, node.docString);
  writer.optionalText(7, node.domain);
  writer.optionalText(8, node.overload);
  for (const entry of node.metadata) writer.message(9, encodeEntry(entry));
  writer.verbatimAll(node.unknown);
  return writer;
}

function encodeAttribute(attribute: Attribute): WireWriter {
  const writer = new WireWriter();
  writer.text(1, attribute.name);
  writer.optionalText(13, attribute.docString);
  if (attribute.kind === "reference") {
    writer.text(21, attribute.value);
    writer.varint(20, attribute.type);
    writer.verbatimAll(attribute.unknown);
    return writer;
  }
  encodeAttributeValue(writer, attribute);
  writer.varint(20, ATTRIBUTE_KINDS.indexOf(attribute.kind));
  writer.verbatimAll(attribute.unknown);
  return writer;
}

function encodeAttributeValue(
  writer: WireWriter,
  attribute: Exclude<Attribute, { kind: "reference" }>,
): void {
  switch (attribute.kind) {
    case "float":
      writer.float32(2, attribute.value);
      break;
    case "int":
      writer.varint(3, attribute.value);
      break;
    case "string":
      writer.bytes(4, attribute.value);
      break;
    case "tensor":
      writer.message(5, encodeTensor(attribute.value));
      break;
    case "graph":
      writer.message(6, encodeGraph(attribute.value));
      break;
    case "floats":
      for (const value of attribute.value) writer.float32(7, value);
      break;
    case "ints":
      for (const value of attribute.value) writer.varint(8, value);
      break;
    case "strings":
      for (const value of attribute.value) writer.bytes(9, value);
      break;
    case "tensors":
      for (const value of attribute.value) writer.message(10, encodeTensor(value));
      break;
    case "graphs":
      for (const value of attribute.value) writer.message(11, encodeGraph(value));
      break;
    case "type":
      writer.message(14, encodeValueType(attribute.value));
      break;
    case "types":
      for (const value of attribute.value) writer.message(15, encodeValueType(value));
      break;
    case "sparseTensor":
      writer.message(22, encodeSparseTensor(attribute.value));
      break;
    case "sparseTensors":
      for (const value of attribute.value) writer.message(23, encodeSparseTensor(value));
      break;
    default:
      attribute satisfies never;
  }
}

function encodeFunction(definition: FunctionDefinition): WireWriter {
  const writer = new WireWriter();
  writer.text(1, definition.name);
  for (const input of definition.inputs) writer.text(4, input);
  for (const output of definition.outputs) writer.text(5, output);
  for (const name of definition.attributes) writer.text(6, name);
  for (const node of definition.nodes) writer.message(7, encodeNode(node));
  writer.optionalText(8, definition.docString);
  for (const opset of definition.opsetImports) writer.message(9, encodeOpset(opset));
  writer.optionalText(10, definition.domain);
  for (const value of definition.attributeDefaults) writer.message(11, encodeAttribute(value));
  for (const value of definition.valueInfos) writer.message(12, encodeValueInfo(value));
  writer.optionalText(13, definition.overload);
  for (const entry of definition.metadata) writer.message(14, encodeEntry(entry));
  writer.verbatimAll(definition.unknown);
  return writer;
}

function encodeValueInfo(value: ValueInfo): WireWriter {
  const writer = new WireWriter();
  writer.text(1, value.name);
  if (value.type !== undefined) writer.message(2, encodeValueType(value.type));
  writer.optionalText(3, value.docString);
  for (const entry of value.metadata) writer.message(4, encodeEntry(entry));
  writer.verbatimAll(value.unknown);
  return writer;
}

function encodeOpset(opset: OpsetImport): WireWriter {
  const writer = new WireWriter();
  writer.optionalText(1, opset.domain);
  writer.optionalVarint(2, opset.version);
  writer.verbatimAll(opset.unknown);
  return writer;
}
