// Shapes of a model's inputs from what a person says of them: a whole shape, a batch, a named size.

import { suggest, UserError } from "../../core/index.ts";
import type { Graph, Model } from "../../onnx/index.ts";

export type InputShapes = Readonly<Record<string, readonly (number | string)[]>>;

export interface InputChoice {
  /** Whole shapes by input. */
  readonly shapes: InputShapes;
  /** For the first axis of every input that leaves it open. */
  readonly batch?: number;
  /** Sizes by the name that the model gives them. */
  readonly sizes: Readonly<Record<string, number>>;
}

/**
 * The shapes of the inputs that differ from what the file states; undefined when none do. Throws
 * UserError for inputs and names that the model does not have, and for a batch that it fixes.
 */
export function inputShapes(model: Model, choice: InputChoice): InputShapes | undefined {
  const { shapes, batch, sizes } = choice;
  const stated = statedShapes(model.graph);
  for (const name of Object.keys(shapes)) {
    if (!stated.has(name)) throw unknown("input", name, [...stated.keys()]);
  }
  const names = [...stated.values()].flat().filter((size) => typeof size === "string");
  for (const name of Object.keys(sizes)) {
    if (!names.includes(name)) throw unknown("size", name, [...new Set(names)]);
  }
  if (Object.keys(shapes).length === 0 && Object.keys(sizes).length === 0 && batch === undefined)
    return undefined;
  // One name stands for one size: an input's batch is that of what shares the name.
  const batches = new Set(
    [...stated.values()].map(([first]) => first).filter((first) => typeof first === "string"),
  );
  if (batch !== undefined && batches.size === 0) {
    throw new UserError("usage", "every input of the model has a fixed first axis", {
      hint: "Give whole shapes instead, such as --input image=8x3x224x224.",
    });
  }
  const chosen = [...stated].map(([name, shape]) => [
    name,
    shapes[name] ??
      shape.map((size, axis) => {
        if (typeof size === "number") return size;
        if (Object.hasOwn(sizes, size)) return sizes[size] ?? size;
        return axis === 0 && batch !== undefined && batches.has(size) ? batch : size;
      }),
  ]);
  return Object.fromEntries(chosen);
}

/** Shapes of inputs that are tensors and no weights; an axis without a name gets one. */
function statedShapes(graph: Graph | undefined): ReadonlyMap<string, readonly (number | string)[]> {
  const stored = new Set(graph?.initializers.map(({ name }) => name));
  const shapes = new Map<string, readonly (number | string)[]>();
  for (const { name, type } of graph?.inputs ?? []) {
    if (stored.has(name) || type?.kind !== "tensor" || type.shape === undefined) continue;
    shapes.set(
      name,
      type.shape.map(({ value, parameter }, axis) => {
        if (value !== undefined && value >= 0n) return Number(value);
        return parameter === undefined || parameter === "" ? `${name}_axis${axis}` : parameter;
      }),
    );
  }
  return shapes;
}

function unknown(what: string, name: string, known: readonly string[]): UserError {
  const near = suggest(name, known);
  return new UserError("usage", `the model has no ${what} "${name}"`, {
    hint: near === null ? `It has ${known.join(", ") || "none"}.` : `Did you mean ${near}?`,
  });
}
