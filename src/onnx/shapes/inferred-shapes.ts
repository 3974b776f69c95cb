// What shape inference hands back: plain data, a scope for each graph.

import type { FunctionDefinition, Graph, Node } from "../model.ts";
import type { ModelError } from "../model-error.ts";
import type { InferredType, Item } from "./inferred-type.ts";

/** The types of all values of a model. */
export interface InferredShapes {
  /** The main graph. */
  readonly graph: GraphShapes;
  /** Where the model contradicts itself, at most the first 100; no run reaches beyond one. */
  readonly faults: readonly ModelError[];
  /** Nodes with outputs of unknown type or rank that the file does not state either. */
  readonly uninferred: readonly UninferredNode[];
}

/** The types of the values of one graph. */
export interface GraphShapes {
  readonly values: ReadonlyMap<string, InferredType>;
  /**
   * Elements, row by row, of the constants and size computations that shapes depend on. An integer, an
   * expression over symbols, or null where only a run can tell.
   */
  readonly constants: ReadonlyMap<string, readonly Item[]>;
  /** Inside its nodes: sub-graphs of If, Loop and Scan, and bodies of model-local functions. */
  readonly bodies: ReadonlyMap<Node, readonly BodyShapes[]>;
  /** The graph around a sub-graph, whose values it can read. */
  readonly outer: GraphShapes | null;
}

export interface BodyShapes {
  readonly of: Graph | FunctionDefinition;
  readonly shapes: GraphShapes;
}

export interface UninferredNode {
  readonly node: Node;
  /** Such as `graph.node[12]`. */
  readonly where: string;
  readonly reason: string;
}

/** The type of a value that nodes of a graph can read; null when there is no such value. */
export function typeOfValue(shapes: GraphShapes, value: string): InferredType | null {
  for (let scope: GraphShapes | null = shapes; scope !== null; scope = scope.outer) {
    const type = scope.values.get(value);
    if (type !== undefined) return type;
  }
  return null;
}
