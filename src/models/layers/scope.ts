// Where layers put what they emit: a scope of a graph, the width of the network, and the numbers that
// its weights start from.

import { createRandom, type Random } from "../../core/index.ts";
import type { GraphBuilder, Tensor } from "../../onnx/index.ts";
import { type Fan, heNormal, type Initialiser } from "./initialisers.ts";
import { FULL_WIDTH, type Width } from "./shrink.ts";

/** What every layer takes first. */
export interface LayerScope {
  readonly graph: GraphBuilder;
  readonly width: Width;
  /** Of kernels and matrices that do not ask for one of their own. */
  readonly initialiser: Initialiser;
  /** Gives every tensor its own seed. */
  readonly seeds: Random;
}

/** What a scope starts from. */
export interface ScopeOptions {
  /** Default: full width. */
  readonly width?: Width;
  /** Default: He's normal distribution. */
  readonly initialiser?: Initialiser;
  /** Default: 1. */
  readonly seed?: number;
}

/** A scope over a graph. The same calls with the same seed give the same weights. */
export const layerScope = (graph: GraphBuilder, options: ScopeOptions = {}): LayerScope => ({
  graph,
  width: options.width ?? FULL_WIDTH,
  initialiser: options.initialiser ?? heNormal,
  seeds: createRandom(options.seed ?? 1),
});

/** The scope inside: names of values and weights start with `name/`. */
export const within = (at: LayerScope, name: string): LayerScope => ({
  ...at,
  graph: at.graph.scope(name),
});

/** The scope for layers whose size the task sets, such as the last one. */
export const unshrunk = (at: LayerScope): LayerScope => ({ ...at, width: FULL_WIDTH });

/** A trainable tensor. */
export interface WeightOptions {
  readonly dims: readonly number[];
  readonly initialiser: Initialiser;
  /** Default: one connection each way. */
  readonly fan?: Fan;
}

/** Stores a weight under a name of the scope. Gives its full name. */
export function weight(at: LayerScope, name: string, options: WeightOptions): string {
  return at.graph.initializer(name, drawn(options, at.seeds.integer(2 ** 32)));
}

/**
 * A tensor whose elements are drawn when they are read, and again if they were let go meanwhile. So a
 * network that is only counted costs no memory, and one that is written needs one tensor at a time.
 */
function drawn(
  { dims, initialiser, fan = { in: 1, out: 1 } }: WeightOptions,
  seed: number,
): Tensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  let kept: WeakRef<Uint8Array> | null = null;
  const bytes = (): Uint8Array => {
    const known = kept?.deref();
    if (known !== undefined) return known;
    const random = createRandom(seed);
    const sample = initialiser.sampler(fan);
    const values = new Float32Array(count);
    for (let index = 0; index < count; index++) values[index] = sample(random);
    const made = new Uint8Array(values.buffer);
    kept = new WeakRef(made);
    return made;
  };
  return {
    dims: dims.map(BigInt),
    dataType: "float32",
    data: { kind: "raw", payload: { length: 4 * count, bytes } },
    metadata: [],
  };
}
