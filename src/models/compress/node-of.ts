// New nodes in few words.

import type { Attribute, Node } from "../../onnx/index.ts";

/** What there is to say of a node beside its operator and inputs. */
export interface NodeParts {
  readonly outputs: readonly string[];
  readonly attributes?: readonly Attribute[];
  readonly domain?: string;
  /** Default: the name of the first output. */
  readonly name?: string;
}

export function nodeOf(opType: string, inputs: readonly string[], parts: NodeParts): Node {
  const { outputs, attributes = [], domain, name = outputs[0] ?? "" } = parts;
  const node = { opType, name, inputs, outputs, attributes, metadata: [] };
  return domain === undefined ? node : { ...node, domain };
}
