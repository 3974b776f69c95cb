// Pooling: windows, and all positions at once.

import { channelsOf, type Features, spatialOf } from "./features.ts";
import type { LayerScope } from "./scope.ts";
import { type WindowOptions, windowOver } from "./window.ts";

/** The stride is that of the kernel unless stated. */
export type PoolOptions = Omit<WindowOptions, "dilation">;

/** The largest of each window. */
export const maxPool = (at: LayerScope, x: Features, options: PoolOptions): Features =>
  pool(at, x, { ...options, type: "MaxPool" });

/** The mean of each window; zeros of the padding do not count. */
export const averagePool = (at: LayerScope, x: Features, options: PoolOptions): Features =>
  pool(at, x, { ...options, type: "AveragePool" });

/** The mean of each channel, as a vector. */
export function globalAveragePool(at: LayerScope, x: Features): Features {
  return { value: flat(at, globalMean(at, x).value), shape: [channelsOf(x)] };
}

/** The largest of each channel, as a vector. */
export function globalMaxPool(at: LayerScope, x: Features): Features {
  const most = at.graph.op({ type: "GlobalMaxPool", name: "pool" }, [x.value]);
  return { value: flat(at, most), shape: [channelsOf(x)] };
}

/** The mean of each channel, its spatial axes kept with length 1. */
export function globalMean(at: LayerScope, x: Features): Features {
  const value = at.graph.op({ type: "GlobalAveragePool", name: "pool" }, [x.value]);
  return { value, shape: [channelsOf(x), ...spatialOf(x).map(() => 1)] };
}

const flat = (at: LayerScope, value: string): string =>
  at.graph.op({ type: "Flatten", name: "flatten" }, [value]);

function pool(
  at: LayerScope,
  x: Features,
  options: PoolOptions & { readonly type: "MaxPool" | "AveragePool" },
): Features {
  const { type, kernel, stride = kernel, rounding = "down" } = options;
  const window = windowOver(spatialOf(x), { ...options, stride }, "pool");
  const value = at.graph.op({ type, name: "pool" }, [x.value], {
    kernel_shape: window.kernel,
    strides: window.strides,
    pads: [...window.before, ...window.after],
    ceil_mode: rounding === "up",
  });
  return { value, shape: [channelsOf(x), ...window.size] };
}
