// An ONNX model as plain, immutable data, in ONNX's own words (onnx.proto, IR versions 3 to 12).
//
// Nothing is lost between a file and these objects: presence of optional fields, order within
// repeated fields, raw bytes, and fields that this version does not know (`unknown`). The elements of
// tensors stay where they are, in memory or in the file, until they are asked for.

/** Element types by their number in TensorProto.DataType. */
export const DATA_TYPES = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  complex64: 14,
  complex128: 15,
  bfloat16: 16,
  float8e4m3fn: 17,
  float8e4m3fnuz: 18,
  float8e5m2: 19,
  float8e5m2fnuz: 20,
  uint4: 21,
  int4: 22,
  float4e2m1: 23,
  float8e8m0: 24,
} as const;

export type DataType = keyof typeof DATA_TYPES;

/** Bytes that may still lie in a file: nothing is read before `bytes()` is called. */
export interface Payload {
  readonly length: number;
  bytes(): Uint8Array;
}

/** A field of the file that this version has no name for: its bytes, tag included. */
export type UnknownFields = readonly Uint8Array[];

/** A model file. */
export interface Model {
  readonly irVersion?: bigint;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly domain?: string;
  readonly modelVersion?: bigint;
  readonly docString?: string;
  readonly graph?: Graph;
  readonly opsetImports: readonly OpsetImport[];
  readonly metadata: readonly StringEntry[];
  readonly functions: readonly FunctionDefinition[];
  readonly unknown?: UnknownFields;
}

/** Which version of an operator set the nodes of a domain speak; "" is ai.onnx. */
export interface OpsetImport {
  readonly domain?: string;
  readonly version?: bigint;
  readonly unknown?: UnknownFields;
}

export interface StringEntry {
  readonly key?: string;
  readonly value?: string;
  readonly unknown?: UnknownFields;
}

export interface Graph {
  readonly name?: string;
  /** In topological order: a node reads only values that stand before it. */
  readonly nodes: readonly Node[];
  readonly initializers: readonly Tensor[];
  readonly sparseInitializers: readonly SparseTensor[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** Types of values in between, as far as the file states them. */
  readonly valueInfos: readonly ValueInfo[];
  readonly docString?: string;
  readonly metadata: readonly StringEntry[];
  /** Quantization annotations and fields of newer versions. */
  readonly unknown?: UnknownFields;
}

export interface Node {
  readonly opType: string;
  /** "" (ai.onnx) unless stated. */
  readonly domain?: string;
  readonly name?: string;
  readonly overload?: string;
  /** Names of values; "" stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: readonly Attribute[];
  readonly docString?: string;
  readonly metadata: readonly StringEntry[];
  readonly unknown?: UnknownFields;
}

/** One attribute; `kind` is AttributeProto.AttributeType. */
export type Attribute = AttributeBase &
  (
    | { readonly kind: "float"; readonly value: number }
    | { readonly kind: "int"; readonly value: bigint }
    | { readonly kind: "string"; readonly value: Uint8Array }
    | { readonly kind: "tensor"; readonly value: Tensor }
    | { readonly kind: "graph"; readonly value: Graph }
    | { readonly kind: "sparseTensor"; readonly value: SparseTensor }
    | { readonly kind: "type"; readonly value: ValueType }
    | { readonly kind: "floats"; readonly value: readonly number[] }
    | { readonly kind: "ints"; readonly value: readonly bigint[] }
    | { readonly kind: "strings"; readonly value: readonly Uint8Array[] }
    | { readonly kind: "tensors"; readonly value: readonly Tensor[] }
    | { readonly kind: "graphs"; readonly value: readonly Graph[] }
    | { readonly kind: "sparseTensors"; readonly value: readonly SparseTensor[] }
    | { readonly kind: "types"; readonly value: readonly ValueType[] }
    /** Inside a function: the attribute of the calling node, `type` its AttributeType. */
    | { readonly kind: "reference"; readonly value: string; readonly type: number }
  );

interface AttributeBase {
  readonly name: string;
  readonly docString?: string;
  readonly unknown?: UnknownFields;
}

export interface ValueInfo {
  readonly name: string;
  readonly type?: ValueType;
  readonly docString?: string;
  readonly metadata: readonly StringEntry[];
  readonly unknown?: UnknownFields;
}

export type ValueType =
  | {
      readonly kind: "tensor" | "sparseTensor";
      readonly elementType: DataType | null;
      /** Absent when the rank is not known. */
      readonly shape?: readonly Dimension[];
      readonly denotation?: string;
      readonly unknown?: UnknownFields;
    }
  | {
      readonly kind: "sequence" | "optional";
      readonly elementType: ValueType | null;
      readonly denotation?: string;
      readonly unknown?: UnknownFields;
    }
  | {
      readonly kind: "map";
      readonly keyType: DataType | null;
      readonly valueType: ValueType | null;
      readonly denotation?: string;
      readonly unknown?: UnknownFields;
    }
  | { readonly kind: "unknown"; readonly denotation?: string; readonly unknown?: UnknownFields };

/** A size, a name (`batch`), or neither. */
export interface Dimension {
  readonly value?: bigint;
  readonly parameter?: string;
  readonly denotation?: string;
  readonly unknown?: UnknownFields;
}

export interface Tensor {
  readonly name?: string;
  readonly dims: readonly bigint[];
  /** Null for a number that this version does not know; see `dataTypeNumber`. */
  readonly dataType: DataType | null;
  readonly dataTypeNumber?: number;
  readonly docString?: string;
  readonly data: TensorData;
  readonly segment?: Uint8Array;
  readonly metadata: readonly StringEntry[];
  readonly unknown?: UnknownFields;
}

/** Where a tensor's elements are. Views of the file; `elements.ts` decodes them. */
export type TensorData =
  | { readonly kind: "none" }
  /** Little-endian elements, 4-bit types packed two a byte, low nibble first. */
  | { readonly kind: "raw"; readonly payload: Payload }
  /** The typed repeated fields; int32 also carries the small integer types, bool and the halves. */
  | { readonly kind: "float32"; readonly values: Float32Array }
  | { readonly kind: "int32"; readonly values: Int32Array }
  | { readonly kind: "int64"; readonly values: BigInt64Array }
  | { readonly kind: "float64"; readonly values: Float64Array }
  | { readonly kind: "uint64"; readonly values: BigUint64Array }
  | { readonly kind: "string"; readonly values: readonly Uint8Array[] }
  | {
      readonly kind: "external";
      /** location, offset, length, checksum, and whatever else the file says. */
      readonly entries: readonly StringEntry[];
    };

export interface SparseTensor {
  readonly values?: Tensor;
  readonly indices?: Tensor;
  readonly dims: readonly bigint[];
  readonly unknown?: UnknownFields;
}

/** A model-local function: a node of its name stands for its nodes. */
export interface FunctionDefinition {
  readonly name: string;
  readonly domain?: string;
  readonly overload?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Names of attributes without and with a default. */
  readonly attributes: readonly string[];
  readonly attributeDefaults: readonly Attribute[];
  readonly nodes: readonly Node[];
  readonly opsetImports: readonly OpsetImport[];
  readonly valueInfos: readonly ValueInfo[];
  readonly docString?: string;
  readonly metadata: readonly StringEntry[];
  readonly unknown?: UnknownFields;
}
