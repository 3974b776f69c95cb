// One graph and the graphs inside it: every value is made once, before it is read; every node is as
// its operator says.

import { subGraphsOf } from "../attributes.ts";
import type { Graph, Node, ValueInfo } from "../model.ts";
import { cycleText, sortNodes } from "../sort.ts";
import { typeName } from "../value-type.ts";
import { checkNode, type NodeRules } from "./check-node.ts";
import { checkSparseTensor, checkTensor } from "./check-tensor.ts";
import { nodePath, quoted } from "./diagnostic.ts";
import { isVisible, madeLater, type Scope, typeIn } from "./scope.ts";

/** Graphs inside graphs; the codec's own limit on messages is reached a little above 30. */
const MAX_NESTING = 64;

/** Where a graph stands. */
interface GraphPlace {
  readonly path: string;
  readonly parent: Scope | null;
  readonly depth: number;
}

/** Adds what is wrong with the main graph or a sub-graph. */
export function checkGraph(graph: Graph, place: GraphPlace, rules: NodeRules): void {
  const { path, parent, depth } = place;
  if (depth > MAX_NESTING) {
    rules.findings.error("nesting", path, {
      message: `graphs nested deeper than ${MAX_NESTING}`,
      remedy: "No exporter writes such a file; do not use it.",
    });
    return;
  }
  const scope: Scope = {
    parent,
    values: new Set(),
    later: producersOf(graph.nodes),
    types: new Map(),
  };
  declareInputs(graph, scope, path, rules);
  declareInitializers(graph, scope, path, rules);
  const stated = statedTypes(graph);
  checkNodes(graph.nodes, { path, scope, stated, depth }, rules);
  checkOutputs(graph, scope, path, rules);
}

/** Where nodes stand; `stated` are types that the file gives to values. */
export interface NodesPlace {
  readonly path: string;
  readonly scope: Scope;
  readonly stated: ReadonlyMap<string, string>;
  readonly depth: number;
}

/** Adds what is wrong with nodes, in the order in which they stand. */
export function checkNodes(nodes: readonly Node[], place: NodesPlace, rules: NodeRules): void {
  const { path, scope, depth } = place;
  const names = new Set<string>();
  let unordered = false;
  nodes.forEach((node, index) => {
    const at = nodePath(path, index, node);
    for (const value of node.inputs) {
      if (value === "" || isVisible(scope, value)) continue;
      unordered = reportAbsent(value, at, { scope, rules }) || unordered;
    }
    for (const { where, graph } of subGraphsOf(node)) {
      checkGraph(graph, { path: `${at}.${where}`, parent: scope, depth: depth + 1 }, rules);
    }
    const types = checkNode(node, at, rules, (value) => typeIn(scope, value));
    declareOutputs({ node, types, at }, place, rules);
    if (node.name !== undefined && node.name !== "" && names.has(node.name)) {
      rules.findings.error("duplicate-node", at, {
        message: "another node has the same name",
        remedy: "Give every node a name of its own, or none.",
      });
    }
    names.add(node.name ?? "");
  });
  if (unordered) reportCycle(nodes, path, rules);
}

/** Whether the value is made by a later node. */
function reportAbsent(
  value: string,
  path: string,
  { scope, rules }: { readonly scope: Scope; readonly rules: NodeRules },
): boolean {
  const later = madeLater(scope, value);
  if (later === null) {
    rules.findings.error("undefined-value", path, {
      message: `reads ${quoted(value)}, which nothing makes`,
      remedy: "Check the name, or add the input, initializer or node that is missing.",
    });
    return false;
  }
  rules.findings.error("order", path, {
    message: `reads ${quoted(value)} before node[${later}] makes it`,
    remedy: "Sort the nodes (sortGraph).",
  });
  return true;
}

function reportCycle(nodes: readonly Node[], path: string, rules: NodeRules): void {
  const sorted = sortNodes(nodes);
  if (sorted.status === "sorted") return;
  rules.findings.error("cycle", path, {
    message: cycleText(sorted.nodes),
    remedy: "A graph may not read its own results; use Loop or Scan for repetition.",
  });
}

/** A node and what was found of it. */
interface CheckedNode {
  readonly node: Node;
  readonly types: readonly (string | null)[];
  readonly at: string;
}

function declareOutputs(checked: CheckedNode, place: NodesPlace, rules: NodeRules): void {
  const { node, types, at } = checked;
  const { scope, stated } = place;
  node.outputs.forEach((value, index) => {
    if (value === "") return;
    if (scope.values.has(value)) {
      rules.findings.error("duplicate-value", at, {
        message: `makes ${quoted(value)}, which exists already`,
        remedy: "Give every value a name of its own.",
      });
    } else if (isVisible(scope.parent, value)) {
      rules.findings.warning("shadowed-value", at, {
        message: `makes ${quoted(value)}, the name of a value of an enclosing graph`,
        remedy: "Give every value a name of its own; not every runtime allows this.",
      });
    }
    scope.values.add(value);
    const type = types[index] ?? null;
    const said = stated.get(value);
    if (type !== null && said !== undefined && type !== said) {
      rules.findings.error("type", at, {
        message: `makes ${quoted(value)} as ${type} where the file says ${said}`,
        remedy: "Remove the wrong type from the file, or insert a Cast.",
      });
    }
    const known = said ?? type;
    if (known !== null && known !== undefined) scope.types.set(value, known);
  });
}

function declareInputs(graph: Graph, scope: Scope, path: string, rules: NodeRules): void {
  graph.inputs.forEach(({ name, type }, index) => {
    const at = `${path}.input[${index}] ${quoted(name)}`;
    declare(name, at, scope, rules);
    const known = typeName(type);
    if (known !== null) scope.types.set(name, known);
    if (type === undefined && scope.parent === null) {
      rules.findings.error("type", at, {
        message: "an input without a type",
        remedy: "State the element type of every input of the main graph.",
      });
    }
  });
}

function declareInitializers(graph: Graph, scope: Scope, path: string, rules: NodeRules): void {
  const inputs = new Set(graph.inputs.map(({ name }) => name));
  const overridable: string[] = [];
  const names = new Set<string>();
  const add = (name: string, at: string): void => {
    if (inputs.has(name) && !names.has(name)) overridable.push(name);
    else declare(name, at, scope, rules);
    names.add(name);
  };
  graph.initializers.forEach((tensor, index) => {
    const name = tensor.name ?? "";
    const at = `${path}.initializer[${index}] ${quoted(name)}`;
    add(name, at);
    checkTensor(tensor, at, rules.findings);
    const said = scope.types.get(name);
    if (tensor.dataType === null) return;
    if (said !== undefined && said !== tensor.dataType) {
      const message = `is ${tensor.dataType} where the input of its name is ${said}`;
      rules.findings.error("type", at, { message, remedy: "Give both the same type." });
    }
    scope.types.set(name, tensor.dataType);
  });
  graph.sparseInitializers.forEach((sparse, index) => {
    const at = `${path}.sparse_initializer[${index}]`;
    add(sparse.values?.name ?? "", at);
    checkSparseTensor(sparse, at, rules.findings);
  });
  reportOverridable(overridable, path, rules);
}

function reportOverridable(names: readonly string[], path: string, rules: NodeRules): void {
  const [first] = names;
  // Before version 4 every initializer had to be an input too, and none could be overridden (IR.md).
  if (first === undefined || rules.irVersion < 4n) return;
  const more = names.length > 1 ? ` and ${names.length - 1} more` : "";
  rules.findings.warning("overridable-initializer", path, {
    message: `${quoted(first)}${more} are inputs and initializers at once`,
    remedy: "Remove them from the inputs, unless callers replace these weights at run time.",
  });
}

function declare(name: string, at: string, scope: Scope, rules: NodeRules): void {
  if (name === "") {
    rules.findings.error("empty-name", at, {
      message: "has no name",
      remedy: "Give it a name; the empty name stands for values that are left out.",
    });
    return;
  }
  if (scope.values.has(name)) {
    rules.findings.error("duplicate-value", at, {
      message: "the name stands twice",
      remedy: "Give every value a name of its own.",
    });
  }
  scope.values.add(name);
}

function checkOutputs(graph: Graph, scope: Scope, path: string, rules: NodeRules): void {
  const names = new Set<string>();
  graph.outputs.forEach(({ name }, index) => {
    const at = `${path}.output[${index}] ${quoted(name)}`;
    const fault = (message: string, remedy: string): void =>
      rules.findings.error(name === "" ? "empty-name" : "undefined-value", at, { message, remedy });
    if (name === "") fault("has no name", "Name the value that is the output.");
    else if (scope.values.has(name)) checkOnce(name, { names, at }, rules);
    else if (isVisible(scope.parent, name)) {
      fault("hands on a value of an enclosing graph", "Put an Identity node between.");
    } else fault("nothing makes this value", "Check the name, or remove the output.");
    names.add(name);
  });
}

function checkOnce(
  name: string,
  { names, at }: { readonly names: ReadonlySet<string>; readonly at: string },
  rules: NodeRules,
): void {
  if (!names.has(name)) return;
  rules.findings.warning("duplicate-value", at, {
    message: "the output stands twice",
    remedy: "Name each output once, or put an Identity node between.",
  });
}

function producersOf(nodes: readonly Node[]): ReadonlyMap<string, number> {
  const producers = new Map<string, number>();
  nodes.forEach(({ outputs }, index) => {
    for (const output of outputs) if (!producers.has(output)) producers.set(output, index);
  });
  return producers;
}

function statedTypes(graph: Graph): ReadonlyMap<string, string> {
  const types = new Map<string, string>();
  const state = ({ name, type }: ValueInfo): void => {
    const known = typeName(type);
    if (known !== null) types.set(name, known);
  };
  graph.valueInfos.forEach(state);
  graph.outputs.forEach(state);
  return types;
}
