// Equal things once: nodes that compute the same from the same (common sub-expressions), and stored
// tensors with the same elements.

import {
  type Attribute,
  elementsOf,
  freshNames,
  type Graph,
  mapSubGraphs,
  type Node,
  namesIn,
  type Tensor,
} from "../../../onnx/index.ts";
import { GraphEditor } from "../graph-editor.ts";
import type { Change, Pass } from "../pass.ts";
import { labelOf } from "./label.ts";
import { isPure } from "./purity.ts";

export const shareEqual: Pass = {
  name: "share-equal",
  fidelity: "exact",
  async apply(model) {
    if (model.graph === undefined) return { model, changes: [], refused: [] };
    const changes: Change[] = [];
    const fresh = freshNames(namesIn(model.graph));
    const graph = shared(model.graph, fresh, changes);
    return { model: changes.length === 0 ? model : { ...model, graph }, changes, refused: [] };
  },
};

function shared(graph: Graph, fresh: (wanted: string) => string, changes: Change[]): Graph {
  const before = changes.length;
  const editor = new GraphEditor(graph, fresh);
  const seen = new Map<string, Node>();
  const tensors = equalTensors(graph);
  for (const old of editor.nodes()) {
    // Earlier nodes may have given this one other inputs.
    const node = rewired(current(old, editor), tensors, editor, changes);
    const inner = mapSubGraphs(node, (body) => shared(body, fresh, changes));
    if (inner !== node) editor.replace(node, inner);
    const key = isPure(inner) ? keyOf(inner) : null;
    if (key === null) continue;
    const first = seen.get(key);
    if (first === undefined) seen.set(key, inner);
    else if (merge(inner, first, editor)) {
      const what = `is the same as "${labelOf(first)}"`;
      changes.push({ pass: "share-equal", subject: labelOf(inner), what });
    }
  }
  return changes.length === before ? graph : editor.finish();
}

/** The node that stands where this one stood before renaming: the maker of its first output. */
function current(node: Node, editor: GraphEditor): Node {
  const output = node.outputs.find((name) => name !== "") ?? "";
  return editor.producer(output) ?? node;
}

/** The node reading the first of equal tensors. */
function rewired(
  node: Node,
  tensors: ReadonlyMap<string, string>,
  editor: GraphEditor,
  changes: Change[],
): Node {
  if (!node.inputs.some((input) => tensors.has(input))) return node;
  const inputs = node.inputs.map((input) => {
    const first = tensors.get(input);
    if (first === undefined) return input;
    changes.push({ pass: "share-equal", subject: input, what: `is the same as "${first}"` });
    return first;
  });
  const next = { ...node, inputs };
  editor.replace(node, next);
  return next;
}

/** Lets readers of a node read another's outputs. False where one of them is an output by name. */
function merge(node: Node, first: Node, editor: GraphEditor): boolean {
  if (node.outputs.some((output) => editor.isOutput(output))) return false;
  editor.unite(node, first.outputs);
  return true;
}

/** Equal for nodes that compute the same; null where that cannot be told. */
function keyOf(node: Node): string | null {
  const attributes = [...node.attributes].sort((a, b) => (a.name < b.name ? -1 : 1));
  const texts = attributes.map(attributeKey);
  if (texts.includes(null)) return null;
  const outputs = node.outputs.map((output) => output !== "");
  return JSON.stringify([node.opType, node.inputs, texts, outputs]);
}

function attributeKey({ name, kind, value }: Attribute): string | null {
  switch (kind) {
    case "int":
    case "float":
      return `${name}=${kind}:${value}`;
    case "ints":
    case "floats":
      return `${name}=${kind}:${value.join(",")}`;
    case "string":
      return `${name}=${kind}:${value.join(",")}`;
    default:
      return null;
  }
}

/** For each stored tensor that equals an earlier one, the name of the earlier. */
function equalTensors(graph: Graph): ReadonlyMap<string, string> {
  const fixed = new Set(graph.inputs.map(({ name }) => name));
  const groups = new Map<string, Tensor[]>();
  const firsts = new Map<string, string>();
  for (const tensor of graph.initializers) {
    const { name = "", dataType, dims, data } = tensor;
    if (fixed.has(name) || dataType === null || data.kind === "string") continue;
    const key = `${dataType} ${dims}`;
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    const equal = group.find((other) => sameElements(other, tensor));
    if (equal?.name === undefined) group.push(tensor);
    else firsts.set(name, equal.name);
  }
  return firsts;
}

function sameElements(a: Tensor, b: Tensor): boolean {
  const [first, second] = [elementsOf(a), elementsOf(b)];
  // Bit for bit: -0 is not 0, and a NaN is itself.
  return first.length === second.length && first.every((of, at) => Object.is(of, second[at]));
}
