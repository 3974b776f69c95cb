// Ways to split a layer, as plain objects: which layers they fit, what they cost at which ranks, and the
// chain of nodes that takes the layer's place.

import type { Products } from "../../../engine/index.ts";
import type { Node, Tensor } from "../../../onnx/index.ts";
import type { Layer } from "../layer.ts";
import type { Moments } from "../statistics.ts";

export type MethodName = "svd" | "tucker2" | "cp" | "spatial";

/** What a method works with. */
interface MethodContext {
  readonly products: Products;
  /** Moments of the layer's inputs: whitens the decomposition of a matrix. */
  readonly moments?: Moments | undefined;
  /** How many singular values the choice of a rank needs. Default: all. */
  readonly leading?: number | undefined;
  readonly seed: number;
}

export interface Method {
  readonly name: MethodName;
  /** Why the layer cannot be split so; null when it can. */
  refuse(layer: Layer): string | null;
  prepare(layer: Layer, context: MethodContext): Promise<Prepared>;
}

/** Singular values that one rank is chosen from, with the size of the matrix they are of. */
export interface RankSpectrum {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/** A layer that was looked at and can be cut at any ranks. */
export interface Prepared {
  readonly layer: Layer;
  readonly method: MethodName;
  /** Whether the values measure the error on data. */
  readonly whitened: boolean;
  /** Largest ranks that mean something. */
  readonly most: readonly number[];
  /** One a rank; none where the method has no singular values (CP) or none were needed. */
  readonly spectra: readonly RankSpectrum[];
  /** Stored numbers of the chain, biases aside. */
  parameters(ranks: readonly number[]): number;
  /** Multiply-accumulates of the chain for positions that the layer reads and writes. */
  macs(ranks: readonly number[], positions: Positions): number;
  /** The chain at these ranks. */
  cut(ranks: readonly number[]): Promise<Chain>;
}

/** Rows of a matrix product, or spatial positions of a convolution, of one run. */
export interface Positions {
  readonly read: number;
  readonly written: number;
}

/** Nodes in place of one, whose last output is that node's. */
export interface Chain {
  readonly nodes: readonly Node[];
  readonly initializers: readonly Tensor[];
  /** Relative error |W - W_r| / |W|, of the weights or, when whitened, of the outputs on the data. */
  readonly error: number;
}
