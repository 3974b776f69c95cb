// ONNX models as data: reading, writing, looking at.

export { type ByteSource, memorySource } from "./byte-source.ts";
export { decodeModel } from "./decode.ts";
export {
  BITS,
  byteLength,
  type Elements,
  type ExternalData,
  elementCount,
  elementsOf,
} from "./elements.ts";
export { encodeModel, encodeModelChunks } from "./encode.ts";
export { externalData, type OpenDataFile } from "./external-data.ts";
export type {
  Attribute,
  DataType,
  Dimension,
  FunctionDefinition,
  Graph,
  Model,
  Node,
  OpsetImport,
  Payload,
  SparseTensor,
  StringEntry,
  Tensor,
  TensorData,
  ValueInfo,
  ValueType,
} from "./model.ts";
export { DATA_TYPES } from "./model.ts";
export { ModelError } from "./model-error.ts";
