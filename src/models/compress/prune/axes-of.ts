// Lists of integers that older operators keep in an attribute and newer ones in an input.

import { attribute, intsOf, type Node, withAttributes } from "../../../onnx/index.ts";
import { type Relating, type Rewriting, Unfollowed } from "./relating.ts";

/** Where the list may stand. */
export interface ListPlace {
  readonly attribute: string;
  readonly input: number;
}

/** The list; null where the node has none. */
export function axesOf(
  at: Pick<Relating, "node" | "integers">,
  { attribute: name, input }: ListPlace,
): readonly number[] | null {
  const kept = intsOf(at.node, name, null);
  if (kept !== null) return kept;
  const value = at.node.inputs[input] ?? "";
  if (value === "") return null;
  const values = at.integers(value);
  if (values === null) throw new Unfollowed(`"${value}" is computed while it runs`);
  return values;
}

/** The node with another list in its place. */
export function withList(
  at: Pick<Rewriting, "node" | "store">,
  place: ListPlace,
  values: readonly number[],
): Node {
  const { node } = at;
  if (intsOf(node, place.attribute, null) !== null) {
    return withAttributes(node, [attribute.ints(place.attribute, values)]);
  }
  const inputs = [...node.inputs];
  while (inputs.length <= place.input) inputs.push("");
  inputs[place.input] = at.store(values);
  return { ...node, inputs };
}
