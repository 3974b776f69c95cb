// Several features made one.

import { ModelError } from "../../onnx/index.ts";
import { channelsOf, type Features, spatialOf } from "./features.ts";
import type { LayerScope } from "./scope.ts";

/** Channels of all, one after the other. Throws ModelError when the spatial axes differ. */
export function concat(at: LayerScope, ...xs: readonly Features[]): Features {
  const [first] = xs;
  if (first === undefined) throw new ModelError("nothing to concatenate", "concat");
  for (const x of xs) requireSame(spatialOf(first), spatialOf(x), "concat");
  const values = xs.map(({ value }) => value);
  const channels = xs.reduce((sum, x) => sum + channelsOf(x), 0);
  return {
    value: at.graph.op({ type: "Concat", name: "concat" }, values, { axis: 1 }),
    shape: [channels, ...spatialOf(first)],
  };
}

/** The sum, element by element. Throws ModelError when the shapes differ. */
export function add(at: LayerScope, a: Features, b: Features): Features {
  requireSame(a.shape, b.shape, "add");
  return { value: at.graph.op({ type: "Add", name: "add" }, [a.value, b.value]), shape: a.shape };
}

/** `x + branch(x)` (He et al. 2016). */
export const residual = (
  at: LayerScope,
  x: Features,
  branch: (x: Features) => Features,
): Features => add(at, branch(x), x);

function requireSame(a: readonly number[], b: readonly number[], where: string): void {
  if (a.length === b.length && a.every((length, axis) => length === b[axis])) return;
  throw new ModelError(`features of [${a.join(", ")}] and [${b.join(", ")}]`, where, {
    hint: "Give both branches the same strides, padding and filters.",
  });
}
