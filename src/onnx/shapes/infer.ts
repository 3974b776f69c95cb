// Shape inference: walks a graph in its order and asks the rule of each operator.
//
// Pure and total: faults of the model come back as diagnostics, whatever it holds, after bounded work.
// How sizes are written and what is assumed of symbols: docs/methods/shape-inference.md.

import type {
  Attribute,
  FunctionDefinition,
  Graph,
  Model,
  Node,
  OpsetImport,
  Tensor,
} from "../model.ts";
import { ModelError } from "../model-error.ts";
import { type BodyWalk, inferNode } from "./infer-node.ts";
import {
  type Inference,
  MOST_LEVELS,
  recordFault,
  type Scope,
  startInference,
} from "./inference.ts";
import type { BodyShapes, GraphShapes, InferredShapes } from "./inferred-shapes.ts";
import {
  declaredType,
  type InferredType,
  type Item,
  OTHER,
  type Shape,
  shapeFault,
  tensor,
} from "./inferred-type.ts";
import { inputTypes, type ShapeOptions } from "./input-types.ts";
import { itemsOf, notInferable, type Outcome, typeOnly } from "./operation.ts";
import { once } from "./postpone.ts";

/**
 * The element type and shape of every value of a model, as far as they follow without running it.
 * Throws ModelError only for options that do not fit the model.
 *
 * @example
 * const { graph } = inferShapes(model, { inputs: { image: ["batch", 3, 224, 224] } });
 * const type = graph.values.get("logits"); // float32 [batch, 1000]
 */
export function inferShapes(model: Model, options: ShapeOptions = {}): InferredShapes {
  const trustsFile = options.inputs === undefined;
  const inference = startInference(model, { trustsFile, external: options.external });
  const graph: Graph = model.graph ?? EMPTY_GRAPH;
  const scope = openScope({
    graph,
    outer: null,
    where: "graph",
    silent: false,
    opsets: versions(model.opsetImports),
  });
  if (model.graph === undefined) recordFault(inference, scope, { message: "no graph", where: "" });
  for (const [name, type] of inputTypes(graph, options, inference)) {
    const given = options.values?.[name];
    bind(scope, name, given === undefined ? typeOnly(type) : { type, items: () => given });
  }
  bindInitializers(graph, scope, inference);
  walkNodes(graph.nodes, scope, inference);
  return {
    graph: closeScope(scope, null, inference),
    faults: [...inference.faults.values()],
    uninferred: [...inference.uninferred.values()],
  };
}

const EMPTY_GRAPH: Graph = {
  nodes: [],
  initializers: [],
  sparseInitializers: [],
  inputs: [],
  outputs: [],
  valueInfos: [],
  metadata: [],
};

const EMPTY_TENSOR: Tensor = { dims: [], dataType: null, data: { kind: "none" }, metadata: [] };

const versions = (imports: readonly OpsetImport[]): ReadonlyMap<string, number> =>
  new Map(
    imports.map(({ domain = "", version = 0n }) => [
      domain === "ai.onnx" ? "" : domain,
      Number(version),
    ]),
  );

function openScope(
  of: Pick<Scope, "outer" | "where" | "silent" | "opsets"> & {
    readonly graph: Pick<Graph, "outputs" | "valueInfos">;
    readonly attributes?: ReadonlyMap<string, Attribute>;
  },
): Scope {
  const { graph, outer, where, silent, opsets, attributes } = of;
  return {
    values: new Map(),
    stated: new Map(
      [...graph.valueInfos, ...graph.outputs].flatMap((info) =>
        info.type === undefined ? [] : [[info.name, info.type] as const],
      ),
    ),
    bodies: new Map(),
    outer,
    opsets,
    attributes: attributes ?? outer?.attributes ?? new Map(),
    where,
    level: (outer?.level ?? 0) + 1,
    silent,
  };
}

/** The scope as plain data. */
function closeScope(scope: Scope, outer: GraphShapes | null, inference: Inference): GraphShapes {
  const values = new Map<string, InferredType>();
  const constants = new Map<string, readonly Item[]>();
  for (const [name, { type, items }] of scope.values) {
    values.set(name, type);
    const known = inference.asked.get(items);
    if (known !== undefined) constants.set(name, known);
  }
  const bodies = new Map<Node, readonly BodyShapes[]>();
  const shapes = { values, constants, bodies, outer };
  for (const [node, inner] of scope.bodies) {
    const list = [...inner].map(([of, body]) => ({
      of,
      shapes: closeScope(body, shapes, inference),
    }));
    bodies.set(node, list);
  }
  return shapes;
}

function bind(scope: Scope, name: string, outcome: Outcome): void {
  scope.values.set(name, { name, ...outcome });
}

function bindInitializers(graph: Graph, scope: Scope, inference: Inference): void {
  for (const initializer of graph.initializers) {
    const type = tensor(initializer.dataType, shapeOfInitializer(initializer, scope, inference));
    const items = once(() => readItems(initializer, scope, inference), inference);
    inference.pending.set(items, 0);
    bind(scope, initializer.name ?? "", { type, items });
  }
  for (const { values, dims } of graph.sparseInitializers) {
    const dense = shapeOfInitializer({ ...EMPTY_TENSOR, ...values, dims }, scope, inference);
    bind(scope, values?.name ?? "", typeOnly(tensor(values?.dataType ?? null, dense)));
  }
}

function shapeOfInitializer(
  { name = "", dims }: Tensor,
  scope: Scope,
  inference: Inference,
): Shape | null {
  const shape = dims.map(Number);
  const wrong = shapeFault(shape);
  if (wrong === null) return shape;
  const where = `${scope.where}.initializer "${name}"`;
  recordFault(inference, scope, { message: `"${name}" has ${wrong}`, where });
  return null;
}

/** A constant that cannot be read is a fault of the model, unless nobody said where it lies. */
function readItems(
  initializer: Tensor,
  scope: Scope,
  inference: Inference,
): readonly Item[] | null {
  if (initializer.data.kind === "external" && !inference.readsExternal) return null;
  try {
    return itemsOf(initializer, inference.read);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const where = `${scope.where}.initializer "${initializer.name ?? ""}"`;
    recordFault(inference, scope, { message: error.message, where, cause: error });
    return null;
  }
}

function walkNodes(nodes: readonly Node[], scope: Scope, inference: Inference): void {
  const walk: BodyWalk = {
    graph: (graph, call) => walkGraph(graph, call, inference),
    function: (definition, call) => walkFunction(definition, call, inference),
  };
  for (const [index, node] of nodes.entries()) {
    inferNode({ node, inference, scope, where: `${scope.where}.node[${index}]`, walk });
  }
}

/** A sub-graph sees the values around it; its inputs come from the node. */
function walkGraph(
  graph: Graph,
  call: Parameters<BodyWalk["graph"]>[1],
  inference: Inference,
): readonly Outcome[] {
  const { node, scope: outer, inputs, use } = call;
  const attribute = node.attributes.find(({ value }) => value === graph)?.name ?? "body";
  const scope = openScope({
    graph,
    outer,
    where: `${call.where}.${attribute}`,
    silent: outer.silent || use === "never executed",
    opsets: outer.opsets,
  });
  if (scope.level > MOST_LEVELS) notInferable("graphs are nested too deeply");
  keepBody(outer, node, graph, scope);
  for (const [index, { name, type }] of graph.inputs.entries()) {
    const given = inputs[index] ?? typeOnly(OTHER);
    const stated = declaredType(type, (axis) => inference.mint(`${name}_axis${axis}`));
    bind(scope, name, given.type.kind === "other" ? typeOnly(stated) : given);
  }
  bindInitializers(graph, scope, inference);
  walkNodes(graph.nodes, scope, inference);
  return graph.outputs.map(({ name }) => found(name, scope));
}

/** A function sees its inputs and the attributes of the call, and nothing else. */
function walkFunction(
  definition: FunctionDefinition,
  call: Parameters<BodyWalk["function"]>[1],
  inference: Inference,
): readonly Outcome[] {
  const { node, scope: caller, inputs } = call;
  if (caller.level >= MOST_LEVELS) notInferable("functions call one another too deeply");
  const defaults = definition.attributeDefaults.map(
    (attribute) => [attribute.name, attribute] as const,
  );
  const scope: Scope = {
    ...openScope({
      graph: { outputs: [], valueInfos: definition.valueInfos },
      outer: null,
      where: `${call.where}.function`,
      silent: caller.silent,
      opsets: versions(definition.opsetImports),
      attributes: new Map([...defaults, ...call.attributes]),
    }),
    level: caller.level + 1,
  };
  keepBody(caller, node, definition, scope);
  for (const [index, name] of definition.inputs.entries()) {
    const operand = inputs[index];
    if (operand != null) bind(scope, name, operand);
  }
  walkNodes(definition.nodes, scope, inference);
  return definition.outputs.map((name) => found(name, scope));
}

function keepBody(outer: Scope, node: Node, of: Graph | FunctionDefinition, scope: Scope): void {
  const bodies = outer.bodies.get(node) ?? new Map<Graph | FunctionDefinition, Scope>();
  outer.bodies.set(node, bodies.set(of, scope));
}

function found(name: string, scope: Scope): Outcome {
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    const outcome = at.values.get(name);
    if (outcome !== undefined) return outcome;
  }
  return typeOnly(OTHER);
}
