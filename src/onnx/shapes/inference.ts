// What one inference keeps while it walks: new symbols, diagnostics, and how much work is left.

import { type Elements, type ExternalData, elementsOf } from "../elements.ts";
import type {
  Attribute,
  FunctionDefinition,
  Graph,
  Model,
  Node,
  Tensor,
  ValueType,
} from "../model.ts";
import { ModelError } from "../model-error.ts";
import { type Size, symbol } from "./dimension.ts";
import type { UninferredNode } from "./inferred-shapes.ts";
import type { Item } from "./inferred-type.ts";
import type { Items, Operand } from "./operation.ts";

/** Faults beyond these say nothing new. */
const MOST_FAULTS = 100;

/** Nodes looked at, bodies counted each time: functions that call functions could go on for ever. */
const MOST_VISITS = 100_000;

/** Sub-graphs in sub-graphs and functions in functions. */
export const MOST_LEVELS = 32;

export interface Inference {
  readonly functions: ReadonlyMap<string, FunctionDefinition>;
  /** Whether types that the file states hold: not when the caller chose other input shapes. */
  readonly trustsFile: boolean;
  readonly read: (tensor: Tensor) => Elements;
  readonly readsExternal: boolean;
  readonly mint: (stem: string) => Size;
  readonly unknownItem: (operand: Operand, index: number) => Size;
  /** Counts a node; false when enough was done. */
  readonly visit: () => boolean;
  readonly faults: Map<string, ModelError>;
  readonly uninferred: Map<string, UninferredNode>;
  /** How many pending computations a value's items stand on. */
  readonly pending: WeakMap<Items, number>;
  /** Items that some shape asked for and that were found. */
  readonly asked: WeakMap<Items, readonly Item[]>;
}

/** The values that the nodes of one graph can read. */
export interface Scope {
  readonly values: Map<string, Operand>;
  /** Types that the file states. */
  readonly stated: ReadonlyMap<string, ValueType>;
  readonly bodies: Map<Node, Map<Graph | FunctionDefinition, Scope>>;
  readonly outer: Scope | null;
  readonly opsets: ReadonlyMap<string, number>;
  /** Attributes of the call, inside a function. */
  readonly attributes: ReadonlyMap<string, Attribute>;
  readonly where: string;
  readonly level: number;
  /** In a branch that is never taken nothing is at fault. */
  readonly silent: boolean;
}

export function startInference(
  model: Model,
  options: { readonly trustsFile: boolean; readonly external: ExternalData | undefined },
): Inference {
  const visitsLeft = { count: MOST_VISITS + (model.graph?.nodes.length ?? 0) };
  const names = symbolMaker(statedNames(model.graph));
  const inference: Inference = {
    functions: new Map(
      model.functions.map((one) => [functionKey(one.domain, one.name, one.overload), one]),
    ),
    trustsFile: options.trustsFile,
    read: (tensor) => elementsOf(tensor, options.external),
    readsExternal: options.external !== undefined,
    ...names,
    visit: () => visitsLeft.count-- > 0,
    faults: new Map(),
    uninferred: new Map(),
    pending: new WeakMap(),
    asked: new WeakMap(),
  };
  return inference;
}

export const functionKey = (domain = "", name = "", overload = ""): string =>
  `${domain === "ai.onnx" ? "" : domain}\n${name}\n${overload}`;

/** Names that the file gives to sizes, which no new symbol may take. */
function statedNames(graph: Graph | undefined): Set<string> {
  const infos = graph === undefined ? [] : [...graph.inputs, ...graph.outputs, ...graph.valueInfos];
  return new Set(
    infos.flatMap(({ type }) =>
      type?.kind === "tensor" ? (type.shape ?? []).map(({ parameter }) => parameter ?? "") : [],
    ),
  );
}

function symbolMaker(taken: Set<string>): Pick<Inference, "mint" | "unknownItem"> {
  const counts = new Map<string, number>();
  const mint = (stem: string): Size => {
    for (let count = (counts.get(stem) ?? 0) + 1; ; count++) {
      const name = `${stem}_${count}`;
      if (taken.has(name)) continue;
      counts.set(stem, count);
      taken.add(name);
      return symbol(name);
    }
  };
  const ofItems = new WeakMap<Operand, Map<number, Size>>();
  const unknownItem = (operand: Operand, index: number): Size => {
    const known = ofItems.get(operand) ?? new Map<number, Size>();
    ofItems.set(operand, known);
    const size = known.get(index) ?? itemSymbol(operand, index, taken) ?? mint(operand.name);
    known.set(index, size);
    return size;
  };
  return { mint, unknownItem };
}

/** Called like the value it stands in; null when that name is taken. */
function itemSymbol({ name, type }: Operand, index: number, taken: Set<string>): Size | null {
  const scalar = type.kind === "tensor" && type.shape?.length === 0;
  const text = scalar ? name : `${name}[${index}]`;
  if (taken.has(text)) return null;
  taken.add(text);
  return symbol(text);
}

export function recordFault(
  inference: Inference,
  scope: Scope,
  fault: { readonly message: string; readonly where: string; readonly cause?: unknown },
): void {
  if (scope.silent || inference.faults.size >= MOST_FAULTS) return;
  const error = new ModelError(fault.message, fault.where, { cause: fault.cause });
  inference.faults.set(fault.where, error);
}
