// A model's nodes with their costs, in the structure of its control flow: what runs, what runs instead
// of something else, what runs again and again.

import type { Node, Shape, Size } from "../../onnx/index.ts";
import type { TensorRole } from "./tensor-role.ts";

/** One node and what one execution of it costs. */
export interface NodeCost {
  /** Of its own in the model; nodes without a name are called by operator and position. */
  readonly name: string;
  readonly operator: string;
  /** The modules around it, outermost first. */
  readonly scope: readonly string[];
  readonly node: Node;
  /** Numbers in the tensors that it is the first to read, by what they are for. */
  readonly parameters: Readonly<Record<Exclude<TensorRole, "dead">, number>>;
  /** Bytes of those tensors. */
  readonly weightBytes: number;
  /** Multiply-accumulates; null when the node is not counted. */
  readonly macs: Size | null;
  /** By the convention that was chosen; null when it does not count the node. */
  readonly flops: Size | null;
  /** Why `macs` or `flops` is null. */
  readonly uncounted: string | null;
  readonly reads: Size | null;
  readonly writes: Size | null;
  /** Of the first output. */
  readonly output: Shape | null;
}

export type Entry =
  | { readonly kind: "node"; readonly cost: NodeCost }
  /** `taken` is the only one that runs, when that is known. */
  | {
      readonly kind: "branch";
      readonly taken: 0 | 1 | null;
      readonly branches: readonly [readonly Entry[], readonly Entry[]];
    }
  | { readonly kind: "loop"; readonly trips: Size; readonly body: readonly Entry[] };

/** Every node of a model once, whether it runs or not. */
export function* nodesIn(entries: readonly Entry[]): Generator<NodeCost> {
  for (const entry of entries) {
    if (entry.kind === "node") yield entry.cost;
    else if (entry.kind === "loop") yield* nodesIn(entry.body);
    else for (const branch of entry.branches) yield* nodesIn(branch);
  }
}
