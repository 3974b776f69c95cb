// Where a pass is cut into segments: into about equal shares of what it makes, and there where the least
// goes from one segment to the next.

import { inferShapes, type Model, type Node, readsOf } from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";
import { sizeOf } from "./vjp/writer.ts";

/** How many elements a value has; 0 where that is not known. */
type SizeOf = (value: string) => number;

/**
 * The first `forward` nodes of a model, cut into `count` segments or fewer. Each cut lies within half a
 * segment of its due place.
 */
export function segmentsOf(
  model: Model,
  { forward, count }: { readonly forward: number; readonly count: number },
): readonly (readonly Node[])[] {
  const size = sizesIn(model);
  const nodes = graphOf(model).nodes.slice(0, forward);
  const made = nodes.map(({ outputs }) => outputs.reduce((sum, name) => sum + size(name), 0));
  const crossing = crossingAfter(nodes, size);
  const share = made.reduce((sum, elements) => sum + elements, 0) / count;
  const segments: (readonly Node[])[] = [];
  let [start, filled] = [0, 0];
  while (start < nodes.length) {
    const due = (segments.length + 1) * share;
    const cut = cutNear(due, { start, filled, share, made, crossing });
    const end = segments.length === count - 1 ? nodes.length : cut + 1;
    segments.push(nodes.slice(start, end));
    for (; start < end; start++) filled += made[start] ?? 0;
  }
  return segments;
}

function sizesIn(model: Model): SizeOf {
  const { values } = inferShapes(model).graph;
  return (value) => {
    const type = values.get(value);
    const shape = type?.kind === "tensor" ? type.shape : null;
    const known = shape?.filter((size) => typeof size === "number") ?? [];
    return shape !== null && known.length === shape.length ? sizeOf(known) : 0;
  };
}

/** The node after which least crosses, of those by which between half a share less and more is made. */
function cutNear(
  due: number,
  of: {
    readonly start: number;
    readonly filled: number;
    readonly share: number;
    readonly made: readonly number[];
    readonly crossing: readonly number[];
  },
): number {
  const { start, share, made, crossing } = of;
  let sum = of.filled;
  let best = made.length - 1;
  let least = Number.POSITIVE_INFINITY;
  let distance = Number.POSITIVE_INFINITY;
  for (let at = start; at < made.length && sum < due + share / 2; at++) {
    sum += made[at] ?? 0;
    const across = crossing[at] ?? 0;
    const off = Math.abs(sum - due);
    const better = across < least || (across === least && off < distance);
    if (sum >= due - share / 2 && better) [best, least, distance] = [at, across, off];
  }
  return best;
}

/** Elements that are made up to a node and read after it, for each node. */
function crossingAfter(nodes: readonly Node[], size: SizeOf): readonly number[] {
  const lastRead = new Map<string, number>();
  for (const [at, node] of nodes.entries()) {
    for (const value of readsOf(node)) lastRead.set(value, at);
  }
  const ending = new Map<number, number>();
  let across = 0;
  return nodes.map(({ outputs }, at) => {
    for (const output of outputs) {
      const until = lastRead.get(output) ?? at;
      if (until === at) continue;
      across += size(output);
      ending.set(until, (ending.get(until) ?? 0) + size(output));
    }
    across -= ending.get(at) ?? 0;
    return across;
  });
}
