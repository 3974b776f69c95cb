// Resizing as image libraries for training do it: separable, with a triangle filter whose support grows
// with the reduction, so that small images do not alias. The arithmetic is that of Pillow's BILINEAR
// (Resample.c), in floating point where Pillow rounds to 8 bits between the two passes.

/** Planes of numbers, channel after channel. */
export interface Planes {
  readonly channels: number;
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

/** The same planes at another size; the planes themselves when the size is the same. */
export function resize(planes: Planes, width: number, height: number): Planes {
  const narrowed = planes.width === width ? planes : resizeWidth(planes, width);
  return narrowed.height === height ? narrowed : resizeHeight(narrowed, height);
}

/** For each target position, the first source position and the weights from there, which sum to 1. */
interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

/** Triangle filter taps of a resize from `from` to `to` positions, pixel centres at half integers. */
function tapsOf(from: number, to: number): readonly Taps[] {
  const scale = from / to;
  const support = Math.max(1, scale);
  return Array.from({ length: to }, (_, target) => {
    const centre = (target + 0.5) * scale;
    const first = Math.max(0, Math.round(centre - support));
    const end = Math.min(from, Math.round(centre + support));
    const weights = new Float64Array(end - first);
    let sum = 0;
    for (let at = 0; at < weights.length; at++) {
      const distance = Math.abs(first + at + 0.5 - centre) / support;
      weights[at] = Math.max(0, 1 - distance);
      sum += weights[at] as number;
    }
    for (let at = 0; at < weights.length; at++) weights[at] = (weights[at] as number) / sum;
    return { first, weights };
  });
}

function resizeWidth({ channels, width, height, data }: Planes, target: number): Planes {
  const taps = tapsOf(width, target);
  const out = new Float32Array(channels * height * target);
  for (let row = 0; row < channels * height; row++) {
    for (let column = 0; column < target; column++) {
      const { first, weights } = taps[column] as Taps;
      out[row * target + column] = weightedSum(data, row * width + first, 1, weights);
    }
  }
  return { channels, width: target, height, data: out };
}

function resizeHeight({ channels, width, height, data }: Planes, target: number): Planes {
  const taps = tapsOf(height, target);
  const out = new Float32Array(channels * target * width);
  for (let channel = 0; channel < channels; channel++) {
    for (let row = 0; row < target; row++) {
      const { first, weights } = taps[row] as Taps;
      const from = (channel * height + first) * width;
      const to = (channel * target + row) * width;
      for (let column = 0; column < width; column++) {
        out[to + column] = weightedSum(data, from + column, width, weights);
      }
    }
  }
  return { channels, width, height: target, data: out };
}

function weightedSum(
  data: Float32Array,
  start: number,
  stride: number,
  weights: Float64Array,
): number {
  let sum = 0;
  for (let at = 0; at < weights.length; at++) {
    sum += (data[start + at * stride] as number) * (weights[at] as number);
  }
  return sum;
}
