// Small graphs written out by hand, without the operator table that the model builder checks against:
// the products of linear algebra, and the graphs of tests.

import {
  type Attribute,
  type DataType,
  type Model,
  type Node,
  type ShapeDimension,
  type Tensor,
  tensorType,
  type ValueInfo,
} from "../onnx/index.ts";

/** The opset that these graphs speak. */
const OPSET = 21n;
const IR_VERSION = 10n;

/** A model of these nodes. */
export function graphLiteral(
  nodes: readonly Node[],
  inputs: readonly ValueInfo[],
  outputs: readonly ValueInfo[],
  initializers: readonly Tensor[] = [],
): Model {
  const graph = { name: "graph", nodes, initializers, inputs, outputs };
  return {
    irVersion: IR_VERSION,
    opsetImports: [{ domain: "", version: OPSET }],
    metadata: [],
    functions: [],
    graph: { ...graph, sparseInitializers: [], valueInfos: [], metadata: [] },
  };
}

/** A node; integers among the attributes are written as ints. */
export function node(
  opType: string,
  inputs: readonly string[],
  outputs: readonly string[],
  options: { readonly name?: string; readonly ints?: Readonly<Record<string, number>> } = {},
): Node {
  const attributes = Object.entries(options.ints ?? {}).map(
    ([name, value]): Attribute => ({ name, kind: "int", value: BigInt(value) }),
  );
  const name = options.name === undefined ? {} : { name: options.name };
  return { opType, inputs, outputs, attributes, metadata: [], ...name };
}

/** A tensor input or output; texts are names of sizes that vary. Without dimensions: of any rank. */
export function port(
  name: string,
  elementType: DataType,
  dims?: readonly ShapeDimension[],
): ValueInfo {
  return { name, metadata: [], type: tensorType(elementType, dims) };
}
