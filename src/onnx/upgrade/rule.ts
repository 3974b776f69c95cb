// What a step of an opset upgrade is: one operator, the version it is brought to, and how.

import type { Attribute, Node, Tensor } from "../model.ts";

/** One operator's change of meaning or form between two versions. */
export interface UpgradeRule {
  readonly operator: string;
  /** The opset from which nodes have the new form. */
  readonly version: number;
  /** The node in the form of `version`, or why that cannot be. */
  rewrite(node: Node, context: RuleContext): Rewrite | Refusal;
}

/** Nodes that compute what the old node did. */
export interface Rewrite {
  readonly nodes: readonly Node[];
  /** The opset that the nodes are written in, where it is beyond the rule's version. */
  readonly version?: number;
}

/** Why a node cannot be brought to a version. */
export interface Refusal {
  readonly refused: string;
  readonly remedy: string;
}

/** What a rule may ask and make. */
export interface RuleContext {
  /** The opset that the whole model is brought to. */
  readonly target: number;
  /** Stores a tensor beside the node; gives its name, which starts with that of the node. */
  store(name: string, tensor: Tensor): string;
  /** A name for a new value or node. */
  fresh(name: string): string;
  /** The tensor of a value that never changes; null for other values. */
  constant(value: string): Tensor | null;
  /** Element type of a value; null when it is not known. */
  type(value: string): string | null;
  /** Number of dimensions of a value; null when it is not known. */
  rank(value: string): number | null;
  /** Whether anything reads a value or it is an output of the graph. */
  isRead(value: string): boolean;
}

/** A refusal with its remedy. */
export function refuse(refused: string, remedy: string): Refusal {
  return { refused, remedy };
}

/** A new node of ai.onnx; its name is that of its first output unless another is given. */
export function newNode(
  opType: string,
  inputs: readonly string[],
  rest: {
    readonly outputs: readonly string[];
    readonly attributes?: readonly Attribute[];
    readonly name?: string;
  },
): Node {
  return {
    opType,
    name: rest.name ?? rest.outputs[0] ?? "",
    inputs,
    outputs: rest.outputs,
    attributes: rest.attributes ?? [],
    metadata: [],
  };
}

/** Inputs without the left-out ones at the end. */
export function withoutTrailingBlanks(inputs: readonly string[]): readonly string[] {
  const last = inputs.findLastIndex((input) => input !== "");
  return inputs.slice(0, last + 1);
}
