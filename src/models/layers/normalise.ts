// Layers that keep features at one scale.

import { channelsOf, type Features } from "./features.ts";
import { ones, zeros } from "./initialisers.ts";
import { type LayerScope, weight, within } from "./scope.ts";

/**
 * Batch normalisation in inference form (Ioffe and Szegedy 2015): running statistics `mean` 0 and
 * `variance` 1 until training moves them, trainable `scale` and `bias`.
 */
export function batchNorm(
  at: LayerScope,
  x: Features,
  options: { readonly epsilon?: number; readonly name?: string } = {},
): Features {
  const { epsilon = 1e-5, name = "norm" } = options;
  const inner = within(at, name);
  const dims = [channelsOf(x)];
  const statistics = [
    weight(inner, "scale", { dims, initialiser: ones }),
    weight(inner, "bias", { dims, initialiser: zeros }),
    weight(inner, "mean", { dims, initialiser: zeros }),
    weight(inner, "variance", { dims, initialiser: ones }),
  ];
  const kind = { type: "BatchNormalization", name: "norm" };
  return { value: inner.graph.op(kind, [x.value, ...statistics], { epsilon }), shape: x.shape };
}

/** Layer normalisation (Ba, Kiros, Hinton 2016) over the last `axes` axes of a sample. */
export function layerNorm(
  at: LayerScope,
  x: Features,
  options: { readonly axes?: number; readonly epsilon?: number; readonly name?: string } = {},
): Features {
  const { axes = 1, epsilon = 1e-5, name = "norm" } = options;
  const inner = within(at, name);
  const dims = x.shape.slice(-axes);
  const parameters = [
    weight(inner, "scale", { dims, initialiser: ones }),
    weight(inner, "bias", { dims, initialiser: zeros }),
  ];
  const kind = { type: "LayerNormalization", name: "norm" };
  const value = inner.graph.op(kind, [x.value, ...parameters], { axis: -axes, epsilon });
  return { value, shape: x.shape };
}

/**
 * Local response normalisation across channels (Krizhevsky et al. 2012, section 3.3; defaults of
 * Caffe's GoogLeNet): `x / (bias + alpha / size * sum of squares of `size` neighbours) ^ beta`.
 */
export function localResponseNorm(
  at: LayerScope,
  x: Features,
  options: { readonly size?: number; readonly alpha?: number; readonly beta?: number } = {},
): Features {
  const { size = 5, alpha = 1e-4, beta = 0.75 } = options;
  const value = at.graph.op({ type: "LRN", name: "lrn" }, [x.value], {
    size,
    alpha,
    beta,
    bias: 1,
  });
  return { value, shape: x.shape };
}
