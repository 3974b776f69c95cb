// ONNX models as data: reading, writing, looking at.

export type { AttributeValue, AttributeValues } from "./attribute-from.ts";
export {
  attribute,
  attributeOf,
  floatOf,
  floatsOf,
  intOf,
  intsOf,
  mapSubGraphs,
  type SubGraph,
  subGraphsOf,
  textOf,
  withAttributes,
  withoutAttributes,
} from "./attributes.ts";
export {
  DEFAULT_OPSET,
  extendModel,
  type ModelBuilder,
  type ModelOptions,
  modelBuilder,
} from "./builder.ts";
export { type ByteSource, memorySource } from "./byte-source.ts";
export { checkModel } from "./check/check-model.ts";
export type { Diagnostic, DiagnosticCode } from "./check/diagnostic.ts";
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
export type { GraphBuilder, NodeKind, OutputOptions } from "./graph-builder.ts";
export {
  constantOf,
  deadNodes,
  freshNames,
  type GraphIndex,
  indexGraph,
  liveNodes,
  namesIn,
  type Origin,
  outsideReads,
  readsOf,
  type Use,
} from "./graph-index.ts";
export { inlineFunctions } from "./inline-functions.ts";
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
export {
  type Arity,
  type AttributeKind,
  type AttributeSchema,
  canonicalDomain,
  loadOperators,
  type OperatorSchema,
  type OperatorTable,
  type Parameter,
  parseOperatorTable,
} from "./operator-table.ts";
export { type Renaming, renameNode } from "./rename.ts";
export {
  addSizes,
  type BodyShapes,
  ceilDivideSizes,
  type Expression,
  floorDivideSizes,
  formatShape,
  formatSize,
  type GraphShapes,
  type InferredShapes,
  type InferredType,
  type Item,
  inferShapes,
  maximumSize,
  minimumSize,
  multiplySizes,
  productOfSizes,
  type Shape,
  type ShapeOptions,
  type Size,
  sameSize,
  substituteSizes,
  subtractSizes,
  symbolicSize,
  symbolsOf,
  type TensorType,
  totalOfSizes,
  typeOfValue,
  type UninferredNode,
} from "./shapes/index.ts";
export { type Sorted, sortGraph, sortNodes } from "./sort.ts";
export { int64s, type TensorParts, type TensorValues, tensorOf } from "./tensor-of.ts";
export {
  UPGRADE_RANGE,
  type Upgrade,
  type UpgradeChange,
  type UpgradeOptions,
  type UpgradeRefusal,
  upgradeModel,
} from "./upgrade/upgrade-model.ts";
export { type ShapeDimension, tensorType, typeName } from "./value-type.ts";
