// Whether an output may be written over an input while the graph runs: training steps update moments
// in place that way.
//
// It is safe when whatever is computed from the input on the way to the output is elementwise and serves
// the output alone: then each element is read before it is written, in whatever order branches run and
// however ONNX Runtime fuses neighbours. All else is refused, since it would compute wrong numbers
// without a word.

import { UserError } from "../core/index.ts";
import type { Graph, Node } from "../onnx/index.ts";

/** Operators whose output element depends on the input elements of the same place only. */
const ELEMENTWISE: ReadonlySet<string> = new Set([
  ..."Abs Add And Cast Ceil Clip Cos Div Elu Equal Erf Exp Floor Gelu Greater HardSigmoid".split(
    " ",
  ),
  ..."HardSwish Identity LeakyRelu Less Log Max Mean Min Mul Neg Not Or Pow Reciprocal".split(" "),
  ..."Relu Round Selu Sigmoid Sign Sin Softplus Softsign Sqrt Sub Sum Tan Tanh Where".split(" "),
]);

/** Throws UserError where writing the output over the input could spoil what is still to be read. */
export function checkAlias(graph: Graph, input: string, output: string, model: string): void {
  const fault = aliasFault(graph, input, output);
  if (fault === null) return;
  const message = `output "${output}" of ${model} cannot be written over input "${input}": ${fault}`;
  throw new UserError("invalid-input", message, {
    hint: "Give the output an array of its own and swap the two after each run.",
  });
}

function aliasFault(graph: Graph, input: string, output: string): string | null {
  const makers = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const maker = makers.get(output);
  if (maker === undefined) return "no node makes the output";
  const before = ancestors(maker, makers);
  const exposed = new Set(graph.outputs.map(({ name }) => name));
  // Values from which the old elements could still be asked for.
  const tainted = new Set([input]);
  for (const node of graph.nodes) {
    if ([...tainted].some((name) => readsInside(node, name))) {
      return `${textOf(node)} reads it inside its body`;
    }
    if (!node.inputs.some((name) => tainted.has(name))) continue;
    if (!before.has(node)) return `${textOf(node)} may read it later`;
    if (!isElementwise(node)) return `${textOf(node)} does not go element by element`;
    if (node !== maker) for (const name of node.outputs) tainted.add(name);
  }
  if ([...tainted].some((name) => exposed.has(name))) return "another output is made from it";
  return isElementwise(maker) ? null : `${textOf(maker)} does not go element by element`;
}

/** The node and all nodes that must run before it. */
function ancestors(last: Node, makers: ReadonlyMap<string, Node>): ReadonlySet<Node> {
  const found = new Set([last]);
  // A set yields what is added while it is walked.
  for (const node of found) {
    for (const name of node.inputs) {
      const maker = makers.get(name);
      if (maker !== undefined) found.add(maker);
    }
  }
  return found;
}

/** Whether a branch or loop body reads the value, at any depth. */
function readsInside(node: Node, name: string): boolean {
  return node.attributes.some((attribute) => {
    const bodies =
      attribute.kind === "graph"
        ? [attribute.value]
        : attribute.kind === "graphs"
          ? attribute.value
          : [];
    return bodies.some((body) =>
      body.nodes.some((inner) => inner.inputs.includes(name) || readsInside(inner, name)),
    );
  });
}

const isElementwise = (node: Node): boolean =>
  (node.domain === undefined || node.domain === "" || node.domain === "ai.onnx") &&
  ELEMENTWISE.has(node.opType);

const textOf = ({ opType, name }: Node): string =>
  name === undefined || name === "" ? `a ${opType} node` : `node "${name}" (${opType})`;
