// What the inputs of a model look like: as the file states, or as the caller chose.

import type { ExternalData } from "../elements.ts";
import type { Graph } from "../model.ts";
import { ModelError } from "../model-error.ts";
import { type Size, soleAtom, symbol } from "./dimension.ts";
import { substitute } from "./dimension-division.ts";
import { formatShape } from "./dimension-text.ts";
import type { Inference } from "./inference.ts";
import { declaredType, type InferredType, OTHER, shapeFault, tensor } from "./inferred-type.ts";

export interface ShapeOptions {
  /** Shapes of inputs, in place of those that the model states: sizes, and names for symbols. */
  readonly inputs?: Readonly<Record<string, readonly (number | string)[]>>;
  /** Elements of small inputs that sizes or branches depend on, such as `{ sr: [16000] }`. */
  readonly values?: Readonly<Record<string, readonly number[]>>;
  /** Finds small constants that lie beside the model; without it they count as unknown. */
  readonly external?: ExternalData;
}

/** The types of the inputs that are no initialisers: as stated, or as the caller chose. */
export function inputTypes(
  graph: Graph,
  options: ShapeOptions,
  inference: Inference,
): ReadonlyMap<string, InferredType> {
  const chosen = options.inputs ?? {};
  const names = new Set(graph.inputs.map(({ name }) => name));
  for (const name of [...Object.keys(chosen), ...Object.keys(options.values ?? {})]) {
    if (!names.has(name)) throw new ModelError(`the model has no input "${name}"`, "inputs");
  }
  const stated = new Map(
    graph.inputs.map(({ name, type }) => [
      name,
      declaredType(type, (axis) => inference.mint(`${name}_axis${axis}`)),
    ]),
  );
  const bindings: Record<string, Size> = Object.create(null);
  for (const [name, shape] of Object.entries(chosen)) {
    const type = stated.get(name) ?? OTHER;
    const given = shape.map((size) => (typeof size === "number" ? size : symbol(size)));
    const wrong = shapeFault(given);
    if (wrong !== null) throw new ModelError(`input "${name}" is given ${wrong}`, "inputs");
    bindSymbols(name, type, given, bindings);
    stated.set(name, tensor(type.kind === "tensor" ? type.elementType : null, given));
  }
  return new Map([...stated].map(([name, type]) => [name, substituted(type, bindings)]));
}

/** A size that is chosen for one input holds wherever its name stands. */
function bindSymbols(
  name: string,
  type: InferredType,
  given: readonly Size[],
  bindings: Record<string, Size>,
): void {
  if (type.kind !== "tensor" || type.shape === null) return;
  if (type.shape.length !== given.length) {
    const ranks = `${given.length} sizes are given, the model says ${formatShape(type.shape)}`;
    throw new ModelError(`input "${name}": ${ranks}`, "inputs");
  }
  for (const [axis, size] of type.shape.entries()) {
    const atom = soleAtom(size);
    const chosen = given[axis];
    if (atom?.kind === "symbol" && chosen !== undefined) bindings[atom.name] ??= chosen;
  }
}

function substituted(type: InferredType, bindings: Readonly<Record<string, Size>>): InferredType {
  if (type.kind !== "tensor" || type.shape === null) return type;
  return tensor(
    type.elementType,
    type.shape.map((size) => substitute(size, bindings)),
  );
}
