// A graph without some sets of indices: stored tensors cut, and what nodes say of sizes rewritten.

import {
  freshNames,
  inferShapes,
  int64s,
  type Model,
  type Node,
  namesIn,
  type Tensor,
  typeOfValue,
} from "../../../onnx/index.ts";
import type { AxisRef } from "./coupling.ts";
import { type FollowedGraph, readingKey } from "./followed-graph.ts";
import { ruleOf } from "./rules/index.ts";
import { sliced } from "./sources.ts";

/**
 * The model without the indices of these sets. Throws Error, a defect of ours, when the shapes that
 * inference then finds are not those that the coupling foretold.
 */
export function removeSets(
  model: Model,
  followed: FollowedGraph,
  removed: ReadonlySet<number>,
): Model {
  const { graph, opset, shape, integers } = followed;
  const kept = keptBy(followed, removed);
  const name = freshNames(namesIn(graph));
  const added: Tensor[] = [];
  const store = (values: readonly number[]): string => {
    const tensor = int64s(name("pruned_sizes"), values);
    added.push(tensor);
    return tensor.name ?? "";
  };
  const nodes = graph.nodes.map((node): Node => {
    const rule = (node.domain ?? "") === "" ? ruleOf(node.opType, opset) : null;
    if (rule?.rewrite === undefined || !touches(node, kept)) return node;
    return rule.rewrite({ node, shape, integers, kept, store });
  });
  const initializers = graph.initializers.map((tensor) => {
    const axes = tensor.dims.map((_, axis) => kept([tensor.name ?? "", axis]));
    return axes.every((indices) => indices === null) ? tensor : sliced(tensor, axes);
  });
  const result: Model = {
    ...model,
    graph: {
      ...graph,
      nodes,
      initializers: [...initializers, ...added],
      // What the file said of values in between holds no more.
      valueInfos: graph.valueInfos.filter(({ name: value }) => {
        const rank = shape(value)?.length ?? 0;
        return Array.from({ length: rank }, (_, axis) => kept([value, axis])).every(
          (indices) => indices === null,
        );
      }),
    },
  };
  checkShapes(result, followed, kept);
  return result;
}

type Kept = (ref: AxisRef) => readonly number[] | null;

/** Kept indices by axis; null where nothing of an axis goes. */
export function keptBy({ coupling }: FollowedGraph, removed: ReadonlySet<number>): Kept {
  const gone = new Set([...removed].map((set) => coupling.setOf(set)));
  const found = new Map<string, readonly number[] | null>();
  const keptOf = (ref: AxisRef): readonly number[] | null => {
    const elements = coupling.known(ref);
    if (elements === null) return null;
    const kept: number[] = [];
    for (let i = 0; i < elements.size; i++) {
      if (!gone.has(coupling.setOf(elements.first + i))) kept.push(i);
    }
    return kept.length === elements.size ? null : kept;
  };
  return (ref) => {
    const key = readingKey(ref);
    const known = found.get(key);
    if (known !== undefined) return known;
    const kept = keptOf(ref);
    found.set(key, kept);
    return kept;
  };
}

/** Whether an axis of anything that the node reads or makes gets shorter; ranks are small. */
const touches = (node: Node, kept: Kept): boolean =>
  [...node.inputs, ...node.outputs].some(
    (value) =>
      value !== "" &&
      Array.from({ length: 8 }, (_, axis) => kept([value, axis])).some((of) => of !== null),
  );

function checkShapes(model: Model, followed: FollowedGraph, kept: Kept): void {
  const shapes = inferShapes(model);
  const [fault] = shapes.faults;
  if (fault !== undefined)
    throw new Error(`pruning left a model that contradicts itself: ${fault.message}`);
  for (const { value, axis, size } of followed.coupling.all()) {
    const type = typeOfValue(shapes.graph, value);
    const found = type?.kind === "tensor" ? type.shape?.[axis] : undefined;
    const foretold = kept([value, axis])?.length ?? size;
    if (typeof found === "number" && found !== foretold) {
      throw new Error(
        `pruning left ${found} where axis ${axis} of "${value}" should have ${foretold}`,
      );
    }
  }
}
