// What no output depends on: nodes, stored tensors, and operator sets that nothing uses.

import {
  canonicalDomain,
  type Graph,
  liveNodes,
  mapSubGraphs,
  type Node,
  readsOf,
  subGraphsOf,
} from "../../../onnx/index.ts";
import type { Change, Pass } from "../pass.ts";
import { labelOf } from "./label.ts";

export const removeDeadCode: Pass = {
  name: "remove-dead-code",
  fidelity: "exact",
  async apply(model) {
    if (model.graph === undefined) return { model, changes: [], refused: [] };
    const changes: Change[] = [];
    const graph = withoutDeadCode(model.graph, (subject, what) => {
      changes.push({ pass: "remove-dead-code", subject, what });
    });
    const used = domainsIn(graph);
    const keeps = ({ domain }: { readonly domain?: string }): boolean =>
      canonicalDomain(domain) === "" || used.has(canonicalDomain(domain));
    // Functions speak operator sets of their own; a model with some keeps all of its imports.
    const opsetImports =
      model.functions.length > 0 ? model.opsetImports : model.opsetImports.filter(keeps);
    for (const { domain } of model.opsetImports.filter((of) => !opsetImports.includes(of))) {
      changes.push({ pass: "remove-dead-code", subject: domain ?? "", what: "import removed" });
    }
    return changes.length === 0
      ? { model, changes, refused: [] }
      : { model: { ...model, graph, opsetImports }, changes, refused: [] };
  },
};

type Report = (subject: string, what: string) => void;

/** The graph and the graphs inside it without what no output depends on. */
export function withoutDeadCode(graph: Graph, report: Report = () => {}): Graph {
  const live = liveNodes(graph);
  const nodes = graph.nodes
    .filter((node) => live.has(node))
    .map((node) => mapSubGraphs(node, (body) => withoutDeadCode(body, report)));
  for (const node of graph.nodes) {
    if (!live.has(node)) report(labelOf(node), `${node.opType} removed`);
  }
  const read = new Set(nodes.flatMap((node) => [...readsOf(node)]));
  for (const { name } of [...graph.outputs, ...graph.inputs]) read.add(name);
  const initializers = graph.initializers.filter(({ name }) => read.has(name ?? ""));
  for (const tensor of graph.initializers) {
    if (!initializers.includes(tensor)) report(tensor.name ?? "", "tensor removed");
  }
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  return {
    ...graph,
    nodes,
    initializers,
    valueInfos: graph.valueInfos.filter(({ name }) => made.has(name)),
  };
}

function domainsIn(graph: Graph): ReadonlySet<string> {
  const domains = new Set<string>();
  const visit = (node: Node): void => {
    domains.add(canonicalDomain(node.domain));
    for (const { graph: body } of subGraphsOf(node)) body.nodes.forEach(visit);
  };
  graph.nodes.forEach(visit);
  return domains;
}
