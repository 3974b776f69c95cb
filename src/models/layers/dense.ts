// Dense (fully connected) layers.

import type { Features } from "./features.ts";
import { glorotUniform, type Initialiser, zeros } from "./initialisers.ts";
import { type LayerScope, unshrunk, weight, within } from "./scope.ts";
import { shrunk } from "./shrink.ts";

export interface DenseOptions {
  /** Outputs at full width. */
  readonly units: number;
  /** Default: with a bias. */
  readonly bias?: boolean;
  /** Default: that of the scope. */
  readonly initialiser?: Initialiser;
  /** Name of its scope. Default: `dense`. */
  readonly name?: string;
}

/** All of one sample in one row. */
export function flatten(at: LayerScope, x: Features): Features {
  if (x.shape.length === 1) return x;
  const size = x.shape.reduce((product, length) => product * length, 1);
  return { value: at.graph.op({ type: "Flatten", name: "flatten" }, [x.value]), shape: [size] };
}

/** `y = W x + b` on flattened features; the matrix `weight` is [units, inputs]. */
export function dense(at: LayerScope, x: Features, options: DenseOptions): Features {
  const { bias = true, name = "dense", initialiser = at.initialiser } = options;
  const units = shrunk(options.units, at.width);
  const inner = within(at, name);
  const flat = flatten(inner, x);
  const [inputs = 1] = flat.shape;
  const matrix = weight(inner, "weight", {
    dims: [units, inputs],
    initialiser,
    fan: { in: inputs, out: units },
  });
  const shift = bias ? [weight(inner, "bias", { dims: [units], initialiser: zeros })] : [];
  const value = inner.graph.op({ type: "Gemm", name: "gemm" }, [flat.value, matrix, ...shift], {
    transB: 1,
  });
  return { value, shape: [units] };
}

/** The last layer: a score for each class, whatever the width of the network. */
export const classifier = (at: LayerScope, x: Features, classes: number): Features =>
  dense(unshrunk(at), x, { units: classes, initialiser: glorotUniform, name: "classifier" });
