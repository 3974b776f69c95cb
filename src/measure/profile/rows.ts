// A count as rows to look at: by node, module, operator or as a whole; sorted, filtered, cut.

import { UserError } from "../../core/index.ts";
import { formatShape, type Size, substituteSizes, symbolsOf } from "../../onnx/index.ts";
import type { Amount } from "./amount.ts";
import type { ModelCount } from "./count-model.ts";
import { type NodeCost, nodesIn } from "./entry.ts";
import { type Totals, totalsBy } from "./totals.ts";

export const VIEWS = ["node", "scope", "op", "graph"] as const;
export type View = (typeof VIEWS)[number];

export const SORTS = ["flops", "macs", "params", "bytes", "order"] as const;
export type Sort = (typeof SORTS)[number];

export interface RowOptions {
  readonly by: View;
  readonly sort: Sort;
  /** Only rows whose name or operator matches. */
  readonly filter?: RegExp;
  readonly top?: number;
}

export interface Row {
  /** Name of a node, a module or an operator. */
  readonly name: string;
  /** Of a node. */
  readonly operator: string | null;
  readonly output: string | null;
  readonly totals: Totals;
  /** Of the whole model's FLOPs, 0 to 1; null while they are not numbers. */
  readonly share: number | null;
}

export interface Rows {
  readonly rows: readonly Row[];
  /** Rows that `top` cut off. */
  readonly cut: number;
}

/** What stands for nodes outside every module. */
const OUTSIDE = "(no module)";

/** The rows of a view. */
export function rowsOf(model: ModelCount, options: RowOptions): Rows {
  const { by, sort, filter, top } = options;
  const whole = rank(model.totals.flops);
  const facts = factsBy(model, by);
  const all = [...totalsBy(model.entries, keysOf(by))].map(([key, totals]): Row => {
    const { name = key, operator = null, output = null } = facts.get(key) ?? {};
    const flops = totals.flops;
    const fixed = typeof flops?.most === "number" && typeof model.totals.flops?.most === "number";
    const share = fixed && whole > 0 ? rank(flops) / whole : null;
    return { name, operator, output, totals, share };
  });
  const kept = all.filter(
    ({ name, operator }) =>
      filter === undefined || filter.test(name) || filter.test(operator ?? ""),
  );
  const sorted =
    sort === "order" ? kept : kept.toSorted((a, b) => sortValue(b, sort) - sortValue(a, sort));
  const rows = top === undefined ? sorted : sorted.slice(0, top);
  return { rows, cut: sorted.length - rows.length };
}

/** The pattern of `--filter`: a regular expression, or the text itself where it is none. */
export function filterOf(text: string): RegExp {
  try {
    return new RegExp(text, "i");
  } catch (cause) {
    throw new UserError("usage", `--filter: cannot read "${text}"`, {
      hint: "Give a part of a name, or a regular expression such as 'conv|gemm'.",
      cause,
    });
  }
}

function keysOf(by: View): (cost: NodeCost) => readonly string[] {
  switch (by) {
    case "node":
      return ({ name }) => [name];
    case "op":
      return ({ operator }) => [operator];
    case "graph":
      return () => ["(model)"];
    case "scope":
      return ({ scope }) =>
        scope.length === 0 ? [OUTSIDE] : scope.map((_, at) => scope.slice(0, at + 1).join("/"));
    default:
      return by satisfies never;
  }
}

function factsBy(
  model: ModelCount,
  by: View,
): ReadonlyMap<string, Pick<Row, "name" | "operator" | "output">> {
  if (by !== "node") return new Map();
  return new Map(
    [...nodesIn(model.entries)].map(({ name, operator, output }) => [
      name,
      { name, operator, output: output === null ? null : formatShape(output) },
    ]),
  );
}

function sortValue({ totals }: Row, sort: Exclude<Sort, "order">): number {
  switch (sort) {
    case "flops":
      return rank(totals.flops);
    case "macs":
      return rank(totals.macs);
    case "bytes":
      return rank(totals.reads) + rank(totals.writes);
    case "params":
      return totals.parameters;
    default:
      return sort satisfies never;
  }
}

/** What open sizes are taken for when rows are put in order. */
const TYPICAL = 64;

/** A number to put amounts in order by. */
export function rank(amount: Amount | null): number {
  return amount === null ? 0 : rankOf(amount.most);
}

function rankOf(size: Size): number {
  if (typeof size === "number") return size;
  try {
    const known = Object.fromEntries([...symbolsOf(size)].map((name) => [name, TYPICAL]));
    const value = substituteSizes(size, known);
    return typeof value === "number" ? value : 0;
  } catch {
    // A size that nothing divides by at this value has no place in the order.
    return 0;
  }
}
