// Which of a model's initializers can be trained, and which of them are chosen.

import { UserError } from "../../core/index.ts";
import { roleOf } from "../../measure/profile/index.ts";
import { elementCount, indexGraph, type Model, readsOf } from "../../onnx/index.ts";
import { graphOf } from "./graph-surgery.ts";

/**
 * Names of the float32 initializers that hold weights and that the outputs are computed from. Running
 * statistics, scales of quantisation, bounds and constants of formulas are none.
 */
export function trainableParameters(model: Model, outputs?: readonly string[]): readonly string[] {
  const graph = graphOf(model);
  const index = indexGraph(graph);
  const wanted = new Set(outputs ?? graph.outputs.map(({ name }) => name));
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some((value) => wanted.has(value))) continue;
    for (const value of readsOf(node)) wanted.add(value);
  }
  const shared = new Set(graph.inputs.map(({ name }) => name));
  return graph.initializers.flatMap((tensor) => {
    const { name = "", dataType } = tensor;
    const usable = dataType === "float32" && wanted.has(name) && !shared.has(name);
    if (!usable) return [];
    const readers = index
      .uses(name)
      .flatMap(({ node, input }) => (input === null ? [] : [{ node, input }]));
    const role = roleOf({ dataType, elements: elementCount(tensor) }, readers, false);
    return role === "trainable" ? [name] : [];
  });
}

/**
 * The parameters that are trained: those that match `only`, where it is given, without those that match
 * `freeze`. In patterns `*` stands for any characters. Throws UserError for a pattern that matches none.
 */
export function chooseParameters(
  names: readonly string[],
  {
    only = [],
    freeze = [],
  }: { readonly only?: readonly string[]; readonly freeze?: readonly string[] },
): readonly string[] {
  const matching = (pattern: string): ReadonlySet<string> => {
    const expression = globOf(pattern);
    const found = names.filter((name) => expression.test(name));
    if (found.length > 0) return new Set(found);
    throw new UserError("invalid-input", `no parameter is called "${pattern}"`, {
      hint: `There are ${listed(names)}.`,
    });
  };
  const chosen = only.length === 0 ? new Set(names) : union(only.map(matching));
  const frozen = union(freeze.map(matching));
  const left = names.filter((name) => chosen.has(name) && !frozen.has(name));
  if (left.length > 0) return left;
  throw new UserError("invalid-input", "there is nothing to train: no parameter is left", {
    hint: names.length === 0 ? "The model has no float32 weights." : "Freeze fewer parameters.",
  });
}

const MOST_LISTED = 8;

function listed(names: readonly string[]): string {
  const rest = names.length - MOST_LISTED;
  const first = names.slice(0, MOST_LISTED).join(", ");
  return rest > 0 ? `${first} and ${rest} more` : first;
}

const globOf = (pattern: string): RegExp =>
  new RegExp(`^${pattern.split("*").map(escaped).join(".*")}$`);

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

const union = (sets: readonly ReadonlySet<string>[]): ReadonlySet<string> =>
  new Set(sets.flatMap((set) => [...set]));
