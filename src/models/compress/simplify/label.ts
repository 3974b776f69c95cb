// What nodes are called in reports.

import type { Node } from "../../../onnx/index.ts";

/** The node's name, or that of its first output where it has none. */
export const labelOf = (node: Node): string =>
  node.name || node.outputs.find((output) => output !== "") || node.opType;
