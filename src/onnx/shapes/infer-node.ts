// One node: its operands looked up, its rule asked, its outputs checked against the file and bound.

import type { Attribute, FunctionDefinition, Graph, Node } from "../model.ts";
import { DivisionByZero, type Size, symbol } from "./dimension.ts";
import { formatShape } from "./dimension-text.ts";
import { functionKey, type Inference, recordFault, type Scope } from "./inference.ts";
import { declaredType, OTHER, type Shape, shapeFault, tensor } from "./inferred-type.ts";
import {
  type BodyUse,
  fault,
  type Operand,
  type Operation,
  type Outcome,
  type Rule,
  ShapeFault,
  type TensorRule,
  typeOnly,
} from "./operation.ts";
import { ruleOf } from "./operators.ts";
import { folded, foldOf, isOurs } from "./postpone.ts";

/** How the bodies of nodes are inferred, which takes the walk that this is a part of. */
export interface BodyWalk {
  readonly graph: (
    graph: Graph,
    call: {
      readonly node: Node;
      readonly scope: Scope;
      readonly where: string;
      readonly inputs: readonly Outcome[];
      readonly use: BodyUse;
    },
  ) => readonly Outcome[];
  readonly function: (
    definition: FunctionDefinition,
    call: {
      readonly node: Node;
      readonly scope: Scope;
      readonly where: string;
      readonly inputs: readonly (Operand | null)[];
      readonly attributes: ReadonlyMap<string, Attribute>;
    },
  ) => readonly Outcome[];
}

/** Where a node is and what it belongs to. */
export interface NodePlace {
  readonly node: Node;
  readonly inference: Inference;
  readonly scope: Scope;
  readonly where: string;
  readonly walk: BodyWalk;
}

/** What came of a node: its outputs, and why some are unknown. */
interface Finding {
  readonly outcomes: readonly Outcome[];
  readonly reason: string | null;
}

export function inferNode(place: NodePlace): void {
  const { node, inference, scope, where } = place;
  inference.faults.delete(where);
  inference.uninferred.delete(where);
  const finding = inference.visit()
    ? findOutcomes(place)
    : { outcomes: [], reason: "the model has too many nodes inside one another" };
  let unknown = false;
  for (const [index, name] of node.outputs.entries()) {
    if (name === "") continue;
    const outcome = withStatedType(name, finding.outcomes[index] ?? typeOnly(OTHER), place);
    scope.values.set(name, { name, ...outcome });
    const { type } = outcome;
    unknown ||= type.kind === "other" || (type.kind === "tensor" && type.shape === null);
  }
  if (finding.reason !== null && unknown && !scope.silent) {
    inference.uninferred.set(where, { node, where, reason: finding.reason });
  }
}

function findOutcomes(place: NodePlace): Finding {
  const { node, inference, scope, where, walk } = place;
  const domain = node.domain === undefined || node.domain === "ai.onnx" ? "" : node.domain;
  try {
    const operation = operationOf(domain, place);
    const definition = inference.functions.get(functionKey(domain, node.opType, node.overload));
    if (definition !== undefined) {
      const { inputs, attributes } = operation;
      const outcomes = walk.function(definition, { node, scope, where, inputs, attributes });
      return { outcomes, reason: "its function was not followed to the end" };
    }
    const rule = ruleOf(domain, node.opType);
    if (rule === null) {
      return { outcomes: [], reason: `unknown operator ${qualified(domain, node.opType)}` };
    }
    return applyRule(rule, operation, { ...place, domain });
  } catch (error) {
    return { outcomes: [], reason: reasonOf(error, place) };
  }
}

const qualified = (domain: string, opType: string): string =>
  domain === "" ? opType : `${domain}.${opType}`;

function applyRule(
  rule: Rule,
  operation: Operation,
  place: NodePlace & { readonly domain: string },
): Finding {
  if (rule.kind === "general") {
    const outcomes = rule.infer(operation);
    for (const { items } of outcomes) if (!place.inference.pending.has(items)) items();
    return { outcomes, reason: rule.unknownBecause };
  }
  const { shapes, reason } = shapesOf(rule, operation, place);
  const types = rule.types(operation);
  const outcomes = Array.from({ length: operation.outputCount }, (_, index) => {
    const shape = shapes[index] ?? null;
    const elementType = types[index] ?? types.at(-1) ?? null;
    const fold = place.domain === "" ? foldOf(operation.opType) : null;
    const type = tensor(elementType, shape);
    return fold === null
      ? typeOnly(type)
      : folded(fold, operation, { index, type }, place.inference);
  });
  return { outcomes, reason };
}

function shapesOf(
  rule: TensorRule,
  operation: Operation,
  place: NodePlace,
): { readonly shapes: readonly (Shape | null)[]; readonly reason: string | null } {
  try {
    const shapes = rule.shapes(operation);
    for (const shape of shapes) checkShape(shape);
    return { shapes, reason: "its operands are not known well enough" };
  } catch (error) {
    return { shapes: [], reason: reasonOf(error, place) };
  }
}

function checkShape(shape: Shape | null): void {
  const wrong = shape === null ? null : shapeFault(shape);
  if (wrong !== null) fault(`an output has ${wrong}`);
}

function operationOf(
  domain: string,
  { node, inference, scope, where, walk }: NodePlace,
): Operation {
  const stem = node.opType.toLowerCase();
  return {
    opType: node.opType,
    version: scope.opsets.get(domain) ?? (domain === "" ? NEWEST_OPSET : 1),
    inputs: node.inputs.map((name) => (name === "" ? null : lookUp(name, scope))),
    outputCount: node.outputs.length,
    attributes: attributesOf(node, scope),
    mint: (named) => inference.mint(named ?? stem),
    unknownItem: inference.unknownItem,
    inferBody: (graph, inputs, use) => walk.graph(graph, { node, scope, where, inputs, use }),
  };
}

/** For a graph that does not say which opset it is in. */
const NEWEST_OPSET = 23;

function lookUp(name: string, scope: Scope): Operand {
  for (let at: Scope | null = scope; at !== null; at = at.outer) {
    const operand = at.values.get(name);
    if (operand !== undefined) return operand;
  }
  return fault(`it reads "${name}", which nothing before it gives`);
}

/** Inside a function an attribute may stand for one of the call. */
function attributesOf(node: Node, scope: Scope): ReadonlyMap<string, Attribute> {
  const attributes = new Map<string, Attribute>();
  for (const attribute of node.attributes) {
    const meant =
      attribute.kind === "reference" ? scope.attributes.get(attribute.value) : attribute;
    if (meant !== undefined) attributes.set(attribute.name, meant);
  }
  return attributes;
}

/** Notes a fault of the model; in every case says why the outputs are not known. */
function reasonOf(error: unknown, { node, inference, scope, where }: NodePlace): string {
  if (!isOurs(error)) throw error;
  if (error instanceof ShapeFault || error instanceof DivisionByZero) {
    const name = node.name === undefined || node.name === "" ? "" : ` "${node.name}"`;
    const message = `${node.opType}${name}: ${error.message}`;
    recordFault(inference, scope, { message, where, cause: error });
  }
  return error.message;
}

/** What the file states fills what is not known, and is wrong where it says something else. */
function withStatedType(
  name: string,
  outcome: Outcome,
  { node, inference, scope, where }: NodePlace,
): Outcome {
  const file = scope.stated.get(name);
  if (file === undefined || !inference.trustsFile) return outcome;
  const { type } = outcome;
  const known = type.kind === "tensor" && type.shape !== null && type.elementType !== null;
  const stated = declaredType(file, (axis) =>
    known ? symbol("?") : inference.mint(`${name}_${axis}`),
  );
  if (type.kind === "other") return typeOnly(stated);
  if (type.kind !== "tensor" || stated.kind !== "tensor") return outcome;
  if (contradicts(type.shape, stated.shape)) {
    const [here, there] = [formatShape(type.shape), formatShape(stated.shape)];
    const message = `${node.opType}: "${name}" has shape ${here}, the file says ${there}`;
    recordFault(inference, scope, { message, where });
  }
  if (known) return outcome;
  const filled = tensor(type.elementType ?? stated.elementType, type.shape ?? stated.shape);
  return type.shape === null ? typeOnly(filled) : { ...outcome, type: filled };
}

function contradicts(inferred: Shape | null, stated: Shape | null): boolean {
  if (inferred === null || stated === null) return false;
  if (inferred.length !== stated.length) return true;
  return inferred.some((size: Size, axis) => {
    const other = stated[axis];
    return typeof size === "number" && typeof other === "number" && size !== other;
  });
}
