// Weights as 8-bit integers: one grid for all elements, or one for each output channel.

import { type Grid, gridOf, type Levels, quantiseValue } from "./grid.ts";

/** A weight on its grid. */
export interface QuantisedWeight {
  readonly dims: readonly number[];
  /** Levels, row-major. */
  readonly values: Int8Array;
  /** One for all, or one for each index along `axis`. */
  readonly scales: Float32Array;
  /** Axis of the channels that have a scale each; null where one scale serves all. */
  readonly axis: number | null;
}

/** A weight to be quantised. */
export interface Weight {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

export interface WeightOptions {
  readonly levels: Levels;
  /** Axis of the output channels, for a grid each; null for one grid. */
  readonly axis: number | null;
  /** Least scale of each channel; see `leastScales`. */
  readonly leastScales?: Float32Array | undefined;
}

/** Symmetric grids over the largest absolute values, each element at its nearest level. */
export function quantiseWeight(weight: Weight, options: WeightOptions): QuantisedWeight {
  const { dims, values } = weight;
  const count = options.axis === null ? 1 : (dims[options.axis] ?? 1);
  const largest = new Float64Array(count);
  forEachChannel(dims, options.axis, (channel, start, end) => {
    let most = largest[channel] ?? 0;
    for (let at = start; at < end; at++) most = Math.max(most, Math.abs(values[at] ?? 0));
    largest[channel] = most;
  });
  const grids = Array.from(largest, (max, channel): Grid => {
    const grid = gridOf({ min: -max, max }, options.levels, true);
    const least = options.leastScales?.[channel] ?? 0;
    return least > grid.scale ? { ...grid, scale: least } : grid;
  });
  const levels = new Int8Array(values.length);
  forEachChannel(dims, options.axis, (channel, start, end) => {
    const grid = grids[channel] as Grid;
    for (let at = start; at < end; at++) levels[at] = quantiseValue(values[at] ?? 0, grid);
  });
  const scales = Float32Array.from(grids, ({ scale }) => scale);
  return { dims, values: levels, scales, axis: options.axis };
}

/** What is left of the weight. */
export function dequantiseWeight({ dims, values, scales, axis }: QuantisedWeight): Float32Array {
  const floats = new Float32Array(values.length);
  forEachChannel(dims, axis, (channel, start, end) => {
    const scale = scales[channel] ?? 0;
    for (let at = start; at < end; at++) floats[at] = (values[at] ?? 0) * scale;
  });
  return floats;
}

/** Shows every run of elements that lie side by side and have one index along the axis. */
function forEachChannel(
  dims: readonly number[],
  axis: number | null,
  visit: (channel: number, start: number, end: number) => void,
): void {
  const total = dims.reduce((product, size) => product * size, 1);
  if (axis === null) {
    visit(0, 0, total);
    return;
  }
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = dims[axis] ?? 1;
  for (let start = 0; start < total; start += inner) {
    visit((start / inner) % size, start, start + inner);
  }
}

/** Index along the axis of each element, by its position; 0 where there is no axis. */
export function channelIn(dims: readonly number[], axis: number | null): (at: number) => number {
  if (axis === null) return () => 0;
  const inner = dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = dims[axis] ?? 1;
  return (at) => Math.floor(at / inner) % size;
}
