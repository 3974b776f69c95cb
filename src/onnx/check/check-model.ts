// The checker: is a model what the ONNX specification (IR.md, Operators.md) calls valid? It says all
// that it finds, never throws on what a file can hold, and takes time in proportion to the model.

import { findRecursion, functionKey } from "../function-calls.ts";
import type { FunctionDefinition, Model, OpsetImport } from "../model.ts";
import { canonicalDomain, type OperatorTable } from "../operator-table.ts";
import { checkGraph, checkNodes } from "./check-graph.ts";
import type { NodeRules } from "./check-node.ts";
import { type Diagnostic, type Findings, newFindings, quoted } from "./diagnostic.ts";
import { isVisible, type Scope } from "./scope.ts";

/** Everything that is wrong with a model, or worth knowing. Errors make it invalid; none means valid. */
export function checkModel(model: Model, operators: OperatorTable): readonly Diagnostic[] {
  const findings = newFindings();
  checkIrVersion(model, operators, findings);
  const opsets = checkOpsets(model.opsetImports, { path: "opset_import", operators, findings });
  const functions = new Set(
    model.functions.map(({ domain, name, overload }) => functionKey(domain, name, overload)),
  );
  const rules: NodeRules = {
    irVersion: model.irVersion ?? 0n,
    operators,
    opsets,
    functions,
    functionAttributes: null,
    findings,
  };
  checkFunctions(model, rules);
  if (model.graph === undefined) {
    findings.error("no-graph", "", {
      message: "the model has no graph",
      remedy: "Export the model again, or check that the file is whole.",
    });
  } else {
    checkGraph(model.graph, { path: "graph", parent: null, depth: 0 }, rules);
  }
  return findings.list;
}

function checkIrVersion(model: Model, operators: OperatorTable, findings: Findings): void {
  const { irVersion } = model;
  const fault = (message: string, remedy: string): void =>
    findings.error("ir-version", "ir_version", { message, remedy });
  if (irVersion === undefined) {
    fault("the file does not say which version of the format it is", "Export the model again.");
  } else if (irVersion < 1n || irVersion > BigInt(operators.irVersion)) {
    const known = `1 to ${operators.irVersion}`;
    fault(`format version ${irVersion}, where ${known} are known`, "Export for an older ONNX.");
  }
}

/** Where operator sets are imported. */
interface OpsetPlace {
  readonly path: string;
  readonly operators: OperatorTable;
  readonly findings: Findings;
}

function checkOpsets(
  imports: readonly OpsetImport[],
  { path, operators, findings }: OpsetPlace,
): ReadonlyMap<string, number> {
  const opsets = new Map<string, number>();
  const fault = (message: string, remedy: string): void =>
    findings.error("opset-import", path, { message, remedy });
  for (const { domain, version = 0n } of imports) {
    const key = canonicalDomain(domain);
    const name = quoted(key === "" ? "ai.onnx" : key);
    const latest = operators.latest(key);
    if (opsets.has(key)) fault(`${name} is imported twice`, "Keep the version that was meant.");
    else opsets.set(key, Number(version));
    if (latest === null) {
      findings.warning("unknown-domain", path, {
        message: `${name} is no known domain; its operators are not checked`,
        remedy: "Give the library with these operators to the runtime, or replace them.",
      });
    } else if (version < 1n || version > BigInt(latest)) {
      fault(
        `version ${version} of ${name}, where 1 to ${latest} are known`,
        "Export for a known opset.",
      );
    }
  }
  if (imports.length === 0) fault("no operator set is imported", "Add ai.onnx and its version.");
  return opsets;
}

function checkFunctions(model: Model, rules: NodeRules): void {
  const keys = new Set<string>();
  model.functions.forEach((of, index) => {
    const path = `functions[${index}] ${quoted(of.name)}`;
    const key = functionKey(of.domain, of.name, of.overload);
    if (keys.has(key)) {
      rules.findings.error("function", path, {
        message: "the function is defined twice",
        remedy: "Give each function a domain, name and overload of its own.",
      });
    }
    keys.add(key);
    checkFunction(of, path, rules);
  });
  const recursion = findRecursion(model.functions);
  if (recursion === null) return;
  rules.findings.error("function", "functions", {
    message: `functions that call themselves: ${recursion.map(quoted).join(" -> ")}`,
    remedy: "Use Loop or Scan for repetition.",
  });
}

function checkFunction(of: FunctionDefinition, path: string, rules: NodeRules): void {
  const { operators, findings } = rules;
  const opsets = checkOpsets(of.opsetImports, {
    path: `${path}.opset_import`,
    operators,
    findings,
  });
  const attributes = [...of.attributes, ...of.attributeDefaults.map(({ name }) => name)];
  const scope: Scope = {
    parent: null,
    values: new Set(of.inputs),
    later: new Map(
      of.nodes.flatMap(({ outputs }, index) => outputs.map((name) => [name, index] as const)),
    ),
    types: new Map(),
  };
  checkNodes(
    of.nodes,
    { path, scope, stated: new Map(), depth: 0 },
    { ...rules, opsets, functionAttributes: new Set(attributes) },
  );
  for (const output of of.outputs) {
    if (isVisible(scope, output)) continue;
    findings.error("undefined-value", path, {
      message: `the output ${quoted(output)} is made by nothing`,
      remedy: "Check the name, or remove the output.",
    });
  }
}
