// One node against its operator: does it exist in this opset, and are inputs, outputs, attributes and
// types as its schema says?

import { suggest } from "../../core/index.ts";
import { functionKey } from "../function-calls.ts";
import type { Attribute, Node } from "../model.ts";
import {
  canonicalDomain,
  type OperatorSchema,
  type OperatorTable,
  type Parameter,
} from "../operator-table.ts";
import { bindTypes } from "./bind-types.ts";
import { checkSparseTensor, checkTensor } from "./check-tensor.ts";
import { type Findings, quoted } from "./diagnostic.ts";

/** What nodes are checked against. */
export interface NodeRules {
  /** Version of the file format; 0 when the file does not say. */
  readonly irVersion: bigint;
  readonly operators: OperatorTable;
  /** Opset by canonical domain, as the model or function imports them. */
  readonly opsets: ReadonlyMap<string, number>;
  /** Functions of the model, as `functionKey` writes them. */
  readonly functions: ReadonlySet<string>;
  /** Attributes of the function that the node stands in; null outside of functions. */
  readonly functionAttributes: ReadonlySet<string> | null;
  readonly findings: Findings;
}

/**
 * Adds what is wrong with a node, apart from its names and its place. Returns the types of its
 * outputs as far as they are known.
 */
export function checkNode(
  node: Node,
  path: string,
  rules: NodeRules,
  typeOf: (value: string) => string | null,
): readonly (string | null)[] {
  const unknown = node.outputs.map(() => null);
  const known = checkAttributeValues(node, path, rules);
  if (rules.functions.has(functionKey(node.domain, node.opType, node.overload))) return unknown;
  const schema = schemaFor(node, path, rules);
  if (schema === null) return unknown;
  checkArity(node, schema, path, rules.findings);
  checkAttributes(node, schema, path, rules.findings);
  if (!known) return unknown;
  const { outputs, faults } = bindTypes(node, schema, typeOf);
  for (const message of faults) {
    const remedy = "Insert a Cast, or check how the model was exported.";
    rules.findings.error("type", path, { message, remedy });
  }
  return outputs;
}

function schemaFor(node: Node, path: string, rules: NodeRules): OperatorSchema | null {
  const { operators, opsets, findings } = rules;
  const domain = canonicalDomain(node.domain);
  const opset = opsets.get(domain);
  const called = domain === "" ? node.opType : `${domain}.${node.opType}`;
  if (opset === undefined) {
    findings.error("opset-import", path, {
      message: `the model imports no operators of ${quoted(domain === "" ? "ai.onnx" : domain)}`,
      remedy: "Add the domain and its version to opset_import.",
    });
    return null;
  }
  // A domain that is not known was reported once, where it is imported.
  if (operators.latest(domain) === null) return null;
  const schema = operators.find(domain, node.opType, opset);
  if (schema === null) {
    findings.error("unknown-operator", path, {
      message: `there is no operator ${quoted(called)} in version ${opset} of its domain`,
      remedy: operatorRemedy(node, domain, operators),
    });
  } else if (schema.deprecated) {
    reportDeprecated(schema, path, rules);
  }
  return schema;
}

/** An operator that came back with another meaning still works where it stands; the others do not. */
function reportDeprecated(schema: OperatorSchema, path: string, rules: NodeRules): void {
  const { operators, findings } = rules;
  const successor = operators
    .versions(schema.domain, schema.name)
    .find(({ since, deprecated }) => since > schema.since && !deprecated);
  if (successor === undefined) {
    findings.error("deprecated-operator", path, {
      message: `${schema.name} is no operator any more from opset ${schema.since} on`,
      remedy: "Upgrade the model from the opset it was written for, or export it again.",
    });
  } else {
    findings.warning("deprecated-operator", path, {
      message: `${schema.name} means something else from opset ${successor.since} on`,
      remedy: "Upgrade the model.",
    });
  }
}

function operatorRemedy(node: Node, domain: string, operators: OperatorTable): string {
  const [first] = operators.versions(domain, node.opType);
  if (first !== undefined) return `Upgrade the model: the operator came with opset ${first.since}.`;
  const near = suggest(node.opType.slice(0, 100), operators.names(domain));
  return near === null ? "Check the name of the operator and of its domain." : `Perhaps ${near}?`;
}

function checkArity(node: Node, schema: OperatorSchema, path: string, findings: Findings): void {
  const sides = [
    ["input", node.inputs, schema.inputArity, schema.inputs],
    ["output", node.outputs, schema.outputArity, schema.outputs],
  ] as const;
  const version = `${schema.name} (since opset ${schema.since})`;
  const remedy = `See the specification of ${version}.`;
  for (const [side, values, { min, max }, parameters] of sides) {
    if (values.length < min || values.length > max) {
      const wanted =
        min === max ? `${min}` : max === Infinity ? `at least ${min}` : `${min} to ${max}`;
      const message = `${values.length} ${side}s where ${version} has ${wanted}`;
      findings.error("arity", path, { message, remedy });
    }
    for (const { name } of leftOut(values, parameters)) {
      findings.error("arity", path, { message: `${side} "${name}" is left out`, remedy });
    }
  }
}

/** Required parameters whose value is named "", which stands for none. */
function leftOut(
  values: readonly string[],
  parameters: readonly Parameter[],
): readonly Parameter[] {
  return parameters.filter(({ option }, index) => option === "single" && values[index] === "");
}

/** Checks what attributes hold, whatever the operator. False when that is not to be relied on. */
function checkAttributeValues(node: Node, path: string, rules: NodeRules): boolean {
  const { findings, functionAttributes } = rules;
  const names = new Set<string>();
  let literal = true;
  for (const attribute of node.attributes) {
    const where = `${path}.${attribute.name}`;
    if (names.has(attribute.name)) {
      findings.error("attribute", path, {
        message: `the attribute ${quoted(attribute.name)} stands twice`,
        remedy: "Remove one of the two.",
      });
    }
    names.add(attribute.name);
    checkTensors(attribute, where, findings);
    if (attribute.kind !== "reference") continue;
    literal = false;
    if (functionAttributes?.has(attribute.value) !== true) {
      findings.error("attribute", path, {
        message: `refers to ${quoted(attribute.value)}, which is no attribute of an enclosing function`,
        remedy: "Write the value itself.",
      });
    }
  }
  return literal;
}

function checkTensors(attribute: Attribute, path: string, findings: Findings): void {
  if (attribute.kind === "tensor") checkTensor(attribute.value, path, findings);
  if (attribute.kind === "sparseTensor") checkSparseTensor(attribute.value, path, findings);
  if (attribute.kind === "tensors") {
    for (const tensor of attribute.value) checkTensor(tensor, path, findings);
  }
}

function checkAttributes(
  node: Node,
  schema: OperatorSchema,
  path: string,
  findings: Findings,
): void {
  const version = `${schema.name} (since opset ${schema.since})`;
  const fault = (message: string, remedy: string): void =>
    findings.error("attribute", path, { message, remedy });
  for (const attribute of node.attributes) {
    const { name, kind } = attribute;
    const declared = schema.attributes.get(name);
    // Names with two underscores are free for tools to use (onnx, defs/schema.cc).
    if (declared === undefined && !name.startsWith("__")) {
      const near = suggest(name.slice(0, 100), schema.attributes.keys());
      const remedy = near === null ? "Remove it." : `Perhaps "${near}"?`;
      fault(`${version} has no attribute ${quoted(name)}`, remedy);
    } else if (declared !== undefined && kind !== declared.kind && kind !== "reference") {
      const message = `attribute ${quoted(name)} is of kind ${kind} where ${version} has ${declared.kind}`;
      fault(message, "Write the attribute in its kind.");
    }
  }
  const given = new Set(node.attributes.map(({ name }) => name));
  for (const [name, { required }] of schema.attributes) {
    if (required && !given.has(name))
      fault(`attribute "${name}" is missing`, "Add it: it has no default.");
  }
}
