// Reverse-mode differentiation as a rewrite: the backward pass is appended to the graph in standard
// operators (Griewank & Walther, Evaluating Derivatives, 2nd ed., chapter 3: the adjoint of a value is
// the sum over its uses of the vector-Jacobian products).

import { UserError } from "../../core/index.ts";
import {
  canonicalDomain,
  elementsOf,
  extendModel,
  formatShape,
  freshNames,
  type Graph,
  type InferredShapes,
  indexGraph,
  inferShapes,
  liveNodes,
  type Model,
  type Node,
  namesIn,
  type OperatorTable,
  readsOf,
  type ShapeOptions,
  tensorType,
} from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";
import { chooser, type LoweringOptions, type Target } from "./vjp/lowering.ts";
import type { Gradient, Scaled, Site } from "./vjp/rule.ts";
import { preparations, rules } from "./vjp/rules.ts";
import { sizeOf, type Value, Writer } from "./vjp/writer.ts";

/** What is differentiated by what. */
export interface DifferentiateOptions {
  readonly operators: OperatorTable;
  /** A value of one element. */
  readonly loss: string;
  /** Initializers or inputs, of a floating-point type. */
  readonly parameters: readonly string[];
  /** Sizes of inputs that the model leaves open. Gradients are written for fixed sizes. */
  readonly shapes?: ShapeOptions;
  readonly lowerings?: LoweringOptions;
  /** Told of each parameter that the loss does not depend on; without it that is an error. */
  readonly onUnused?: (parameter: string) => void;
}

/** A model with its gradients. */
export interface Differentiated {
  readonly model: Model;
  /** By parameter, the value that is the gradient of the loss, of the parameter's shape. */
  readonly gradients: ReadonlyMap<string, string>;
}

/** The first opset in which all reductions take their axes as an input. */
const LEAST_OPSET = 18;

const FLOATS: ReadonlySet<string> = new Set(["float32", "float64", "float16", "bfloat16"]);

/**
 * Appends the backward pass. Gradients are values of the graph, not outputs of it; only what depends on
 * the parameters is differentiated. Throws UserError for an operator without a rule, for sizes that are
 * not known, and for parameters that the loss does not depend on.
 */
export function differentiate(model: Model, options: DifferentiateOptions): Differentiated {
  const { operators, loss, parameters, lowerings = {}, shapes = {} } = options;
  requireOpset(model);
  const target = lowerings.target ?? "cpu";
  const original = withSizes(graphOf(model), shapes);
  const dependent = dependents(original, parameters);
  const before: Model = { ...model, graph: prepared(original, dependent, target) };
  const inferred = inferShapes(before, shapes);
  const pass = startPass(before, { inferred, dependent, lowerings, operators });
  pass.seed(loss);
  for (const node of graphOf(before).nodes.toReversed()) pass.visit(node);
  const gradients = new Map<string, string>();
  for (const name of parameters) {
    const gradient = pass.gradientOf(name);
    if (gradient !== null) gradients.set(name, gradient);
    else if (options.onUnused === undefined) throw unused(name);
    else options.onUnused(name);
  }
  return { model: withoutDead(pass.finish(), { original, gradients }), gradients };
}

/** Values that change with a parameter, and can be differentiated by it. */
function dependents(graph: Graph, parameters: readonly string[]): ReadonlySet<string> {
  const known = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.map(({ name = "" }) => name),
  ]);
  for (const name of parameters) {
    if (known.has(name)) continue;
    throw new UserError("invalid-input", `the model has no parameter "${name}"`, {
      hint: "Name initializers or inputs of the model.",
    });
  }
  const dependent = new Set(parameters);
  for (const node of graph.nodes) {
    const depends = [...readsOf(node)].some((value) => dependent.has(value));
    if (depends) for (const output of node.outputs) dependent.add(output);
  }
  dependent.delete("");
  return dependent;
}

/** The graph whose nodes also give what their gradients read. */
function prepared(graph: Graph, dependent: ReadonlySet<string>, target: Target): Graph {
  const fresh = freshNames(namesIn(graph));
  const nodes = graph.nodes.map((node) => {
    const prepare = preparations[keyOf(node)];
    if (prepare === undefined || !node.inputs.some((value) => dependent.has(value))) return node;
    return prepare(node, (suffix) => fresh(`${node.outputs[0]}/${suffix}`), target);
  });
  return { ...graph, nodes };
}

/** The backward pass while it is written. */
interface Pass {
  seed(loss: string): void;
  visit(node: Node): void;
  /** Null where the loss does not depend on it. */
  gradientOf(parameter: string): string | null;
  finish(): Model;
}

interface PassOptions {
  readonly inferred: InferredShapes;
  readonly dependent: ReadonlySet<string>;
  readonly lowerings: LoweringOptions;
  readonly operators: OperatorTable;
}

function startPass(model: Model, { inferred, dependent, lowerings, operators }: PassOptions): Pass {
  const builder = extendModel(model, { operators });
  const write = new Writer(builder.scope("gradient"));
  const index = indexGraph(graphOf(model));
  const adjoints = new Map<string, Scaled>();
  const choose = chooser(lowerings);
  const typed = (name: string): Value => typedValue(name, inferred);
  const isFloat = (name: string): boolean => {
    const type = inferred.graph.values.get(name);
    return type?.kind === "tensor" && FLOATS.has(type.elementType ?? "");
  };

  /** Integers carry a gradient where they stand for the real numbers they were quantised from. */
  const carries = (name: string): boolean =>
    isFloat(name) || index.producer(name)?.opType === "QuantizeLinear";

  const siteOf = (node: Node): Site => {
    const scope = write.within(node.name || node.outputs[0] || node.opType);
    const name = (at: number): string => node.inputs[at] ?? "";
    const upstream = (at: number): Value | null => adjointOf(node.outputs[at] ?? "");
    const zeros = (): Value => {
      const { dims, dataType } = typed(node.outputs[0] ?? "");
      return scope.full(dims, 0, dataType);
    };
    return {
      node,
      write: scope,
      target: lowerings.target ?? "cpu",
      choose,
      upstream,
      input: (at) => typed(name(at)),
      has: (at) => name(at) !== "",
      output: (at = 0) => typed(node.outputs[at] ?? ""),
      get dy() {
        return upstream(0) ?? zeros();
      },
      get scaledDy() {
        return adjoints.get(node.outputs[0] ?? "") ?? { value: zeros(), factor: null };
      },
      constant: (at) => index.constant(name(at)),
      numbers(at) {
        const tensor = index.constant(name(at));
        if (tensor !== null) return Array.from(elementsOf(tensor), Number);
        const items = inferred.graph.constants.get(name(at));
        if (items?.every((item) => typeof item === "number")) return items;
        throw faultAt(node, `input ${at} ("${name(at)}") changes from run to run`, CONSTANT_HINT);
      },
      fault: (message, hint) => faultAt(node, message, hint),
    };
  };

  /** The gradient by a value, multiplied out. */
  const adjointOf = (name: string): Value | null => {
    const adjoint = adjoints.get(name);
    if (adjoint === undefined) return null;
    const value = multipliedOut(write, adjoint);
    adjoints.set(name, { value, factor: null });
    return value;
  };

  const accumulate = (name: string, gradient: Value | Scaled): void => {
    const added = "value" in gradient ? gradient : { value: gradient, factor: null };
    const known = adjointOf(name);
    const sum = (to: Value): Scaled => ({
      value: write.add(to, multipliedOut(write, added)),
      factor: null,
    });
    adjoints.set(name, known === null ? added : sum(known));
  };

  return {
    seed(loss) {
      const value = typed(loss);
      if (sizeOf(value.dims) !== 1 || !FLOATS.has(value.dataType)) {
        throw new UserError("invalid-input", `the loss "${loss}" is ${describe(value)}`, {
          hint: "Differentiate a floating-point value of one element, such as a mean.",
        });
      }
      accumulate(loss, write.constant(value.dataType, value.dims, [1]));
    },
    visit(node) {
      if (!node.outputs.some((output) => adjoints.has(output) && dependent.has(output))) return;
      const wanted = node.inputs.map((input) => dependent.has(input) && carries(input));
      const captured = [...readsOf(node)].some(
        (value) => dependent.has(value) && !node.inputs.includes(value),
      );
      if (!captured && !wanted.includes(true)) return;
      const rule = rules[keyOf(node)];
      if (rule === undefined || captured) throw noRule(node);
      const gradients = rule(siteOf(node));
      node.inputs.forEach((input, at) => {
        const gradient: Gradient | null = gradients[at] ?? null;
        if (wanted[at] && gradient !== null) accumulate(input, gradient());
      });
    },
    gradientOf: (parameter) => adjointOf(parameter)?.name ?? null,
    finish: () => builder.finish(),
  };
}

function multipliedOut(write: Writer, { value, factor }: Scaled): Value {
  if (factor === null) return value;
  const axes = value.dims.map((_, axis) => (axis === 1 ? sizeOf(factor.dims) : 1));
  return write.mul(value, write.reshape(factor, axes.slice(1)));
}

const CONSTANT_HINT =
  "Its gradient is written for fixed sizes: make the input a constant, or fix the sizes of the model's inputs.";

function typedValue(name: string, inferred: InferredShapes): Value {
  const type = inferred.graph.values.get(name);
  const shape = type?.kind === "tensor" ? type.shape : null;
  const dims = shape?.filter((size) => typeof size === "number");
  if (type?.kind === "tensor" && type.elementType !== null && dims?.length === shape?.length) {
    return { name, dataType: type.elementType, dims: dims ?? [] };
  }
  const known = shape === null || shape === undefined ? "unknown" : formatShape(shape);
  throw new UserError("invalid-input", `the sizes of "${name}" are not fixed: ${known}`, {
    hint: "Give the sizes of all inputs, the batch included: shapes: { inputs: { x: [32, 3, 32, 32] } }.",
  });
}

/** The gradient nodes and constants that nothing wanted reads go; prepared nodes go back. */
function withoutDead(
  model: Model,
  kept: { readonly original: Graph; readonly gradients: ReadonlyMap<string, string> },
): Model {
  const graph = graphOf(model);
  const { original, gradients } = kept;
  const wanted = [...gradients.values()].map((name) => ({ name, metadata: [] }));
  const live = liveNodes({ ...graph, outputs: [...graph.outputs, ...wanted] });
  const added = graph.nodes.slice(original.nodes.length).filter((node) => live.has(node));
  const read = new Set([...original.nodes, ...added].flatMap((node) => [...readsOf(node)]));
  for (const { name } of wanted) read.add(name);
  const before = original.nodes.map((node, at) => {
    const now = graph.nodes[at] ?? node;
    return now.outputs.slice(node.outputs.length).some((output) => read.has(output)) ? now : node;
  });
  const old = new Set(original.initializers.map(({ name }) => name));
  const initializers = graph.initializers.filter(
    ({ name = "" }) => old.has(name) || read.has(name),
  );
  return { ...model, graph: { ...graph, nodes: [...before, ...added], initializers } };
}

/** The graph with chosen sizes written into its inputs. */
function withSizes(graph: Graph, { inputs = {} }: ShapeOptions): Graph {
  const sized = graph.inputs.map((info) => {
    const chosen = inputs[info.name];
    if (chosen === undefined || info.type?.kind !== "tensor") return info;
    const { elementType } = info.type;
    return elementType === null ? info : { ...info, type: tensorType(elementType, chosen) };
  });
  return { ...graph, inputs: sized };
}

function requireOpset(model: Model): void {
  const ours = model.opsetImports.find(({ domain }) => canonicalDomain(domain) === "");
  const opset = Number(ours?.version ?? 0n);
  if (opset >= LEAST_OPSET) return;
  throw new UserError("unsupported", `gradients need opset ${LEAST_OPSET} or newer, not ${opset}`, {
    hint: "Bring the model up with upgradeModel first.",
  });
}

function keyOf({ domain, opType }: Node): string {
  const canonical = canonicalDomain(domain);
  return canonical === "" ? opType : `${canonical}::${opType}`;
}

const nameOf = (node: Node): string =>
  `node "${node.name || node.outputs[0] || ""}" (${keyOf(node)})`;

const faultAt = (node: Node, message: string, hint: string): UserError =>
  new UserError("unsupported", `${nameOf(node)} cannot be differentiated: ${message}`, { hint });

const unused = (parameter: string): UserError =>
  new UserError("invalid-input", `the loss does not depend on "${parameter}"`, {
    hint: "Leave it out of the parameters, or take a loss that is computed from it.",
  });

const noRule = (node: Node): UserError =>
  faultAt(
    node,
    "its operator has no gradient rule",
    "Freeze the parameters before it (leave them out), or replace the node by operators that have one.",
  );

const describe = ({ dataType, dims }: Value): string => `${dataType} [${dims.join(", ")}]`;
