// What the checker says of a model.

import type { Node } from "../model.ts";

/** Kinds of finding, stable across versions so that scripts can tell them apart. */
export type DiagnosticCode =
  | "ir-version"
  | "opset-import"
  | "no-graph"
  | "unknown-domain"
  | "unknown-operator"
  | "deprecated-operator"
  | "arity"
  | "attribute"
  | "undefined-value"
  | "duplicate-value"
  | "duplicate-node"
  | "shadowed-value"
  | "empty-name"
  | "order"
  | "cycle"
  | "tensor"
  | "type"
  | "overridable-initializer"
  | "function"
  | "nesting"
  | "more";

/** One finding. An error makes the model invalid; a warning is worth knowing. */
export interface Diagnostic {
  readonly severity: "error" | "warning";
  readonly code: DiagnosticCode;
  /** Where: `graph.node[12] "conv1" (Conv)`. */
  readonly path: string;
  /** What is wrong. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** Findings kept of one model; a hostile file could have billions. */
const MAX_DIAGNOSTICS = 1000;

/** Takes findings, up to a number. */
export interface Findings {
  readonly list: readonly Diagnostic[];
  error(code: DiagnosticCode, path: string, text: FindingText): void;
  warning(code: DiagnosticCode, path: string, text: FindingText): void;
}

interface FindingText {
  readonly message: string;
  readonly remedy: string;
}

/** An empty collection of findings. */
export function newFindings(): Findings {
  const list: Diagnostic[] = [];
  const add = (finding: Diagnostic): void => {
    if (list.length < MAX_DIAGNOSTICS) {
      list.push(finding);
    } else if (list.length === MAX_DIAGNOSTICS) {
      list.push({
        severity: "error",
        code: "more",
        path: "",
        message: `more than ${MAX_DIAGNOSTICS} findings; the rest is left out`,
        remedy: "Repair what is listed and check again.",
      });
    }
  };
  return {
    list,
    error: (code, path, text) => add({ severity: "error", code, path, ...text }),
    warning: (code, path, text) => add({ severity: "warning", code, path, ...text }),
  };
}

/** What a node is called in a path. */
export function nodePath(parent: string, index: number, { name, opType }: Node): string {
  const named = name === undefined || name === "" ? "" : ` ${quoted(name)}`;
  return `${parent}.node[${index}]${named} (${shortened(opType)})`;
}

/** A name in quotes, cut when it is as long as only a hostile one is. */
export function quoted(name: string): string {
  return JSON.stringify(shortened(name));
}

function shortened(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
