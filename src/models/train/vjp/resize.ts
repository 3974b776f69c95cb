// Gradient of Resize. Every axis is resized by a linear map that depends on sizes only (ONNX, Resize);
// the gradient is its transpose, a product with a constant matrix.

import { floatOf, intOf, intsOf, textOf } from "../../../onnx/index.ts";
import type { Rules, Site, Vjp } from "./rule.ts";
import { axisFrom, range, sizeOf, type Value } from "./writer.ts";

const resize: Vjp = (site) => [
  () => {
    const { dims } = site.input(0);
    if (intOf(site.node, "antialias", 0) !== 0) {
      throw site.fault("it smooths (antialias)", "Resize without it, or by AveragePool.");
    }
    const scales = scalesOf(site);
    return dims.reduce((dy, _, axis) => {
      const same = dims[axis] === dy.dims[axis] && (scales[axis] ?? 1) === 1;
      return same ? dy : alongAxis(site, dy, { axis, scale: scales[axis] ?? 1 });
    }, site.dy);
  },
];

/** Output size over input size, or as the node states it. */
function scalesOf(site: Site): readonly number[] {
  const [x, y] = [site.input(0).dims, site.output().dims];
  const axes = intsOf<null>(site.node, "axes", null) ?? range(0, x.length);
  const stated = site.has(2) ? site.numbers(2) : [];
  return x.map((size, axis) => {
    const at = axes.findIndex((given) => axisFrom(given, x.length) === axis);
    return at < 0 ? 1 : (stated[at] ?? (y[axis] ?? size) / size);
  });
}

function alongAxis(
  site: Site,
  dy: Value,
  { axis, scale }: { readonly axis: number; readonly scale: number },
): Value {
  const { write } = site;
  const input = site.input(0).dims[axis] ?? 1;
  const output = dy.dims[axis] ?? 1;
  const matrix = new Float32Array(input * output);
  for (const to of range(0, output)) {
    for (const { from, weight } of tapsOf(site, to, { input, output, scale })) {
      const at = from * output + to;
      matrix[at] = (matrix[at] ?? 0) + weight;
    }
  }
  const before = dy.dims.slice(0, axis);
  const after = dy.dims.slice(axis + 1);
  const columns = write.reshape(dy, [sizeOf(before), output, sizeOf(after)]);
  const transposed = write.constant(dy.dataType, [input, output], matrix);
  return write.reshape(write.matmul(transposed, columns), [...before, input, ...after]);
}

interface Axis {
  readonly input: number;
  readonly output: number;
  readonly scale: number;
}

/** An input element and what it counts in an output element. */
interface Tap {
  readonly from: number;
  readonly weight: number;
}

function tapsOf(site: Site, to: number, axis: Axis): readonly Tap[] {
  const at = originOf(site, to, axis);
  const mode = textOf(site.node, "mode", "nearest");
  if (mode === "nearest") {
    return [{ from: clamp(nearest(textOf(site.node, "nearest_mode", ""), at), axis), weight: 1 }];
  }
  const low = Math.floor(at);
  const along = at - low;
  if (mode === "linear") {
    return [
      { from: clamp(low, axis), weight: 1 - along },
      { from: clamp(low + 1, axis), weight: along },
    ];
  }
  const a = floatOf(site.node, "cubic_coeff_a", -0.75);
  const taps = range(-1, 3).map((offset) => ({
    from: low + offset,
    weight: cubic(Math.abs(along - offset), a),
  }));
  if (intOf(site.node, "exclude_outside", 0) === 0) {
    return taps.map(({ from, weight }) => ({ from: clamp(from, axis), weight }));
  }
  const inside = taps.filter(({ from }) => from >= 0 && from < axis.input);
  const total = inside.reduce((sum, { weight }) => sum + weight, 0);
  return inside.map(({ from, weight }) => ({ from, weight: weight / total }));
}

/** Keys, Cubic convolution interpolation, 1981. */
function cubic(distance: number, a: number): number {
  if (distance <= 1) return (a + 2) * distance ** 3 - (a + 3) * distance ** 2 + 1;
  return a * (distance ** 3 - 5 * distance ** 2 + 8 * distance - 4);
}

const clamp = (index: number, { input }: Axis): number => Math.min(Math.max(index, 0), input - 1);

/** Where an output element lies on the input (ONNX, coordinate_transformation_mode). */
function originOf(site: Site, to: number, { input, output, scale }: Axis): number {
  const mode = textOf(site.node, "coordinate_transformation_mode", "half_pixel");
  switch (mode) {
    case "half_pixel":
      return (to + 0.5) / scale - 0.5;
    case "pytorch_half_pixel":
      return output > 1 ? (to + 0.5) / scale - 0.5 : 0;
    case "half_pixel_symmetric": {
      const centre = (input / 2) * (1 - output / (scale * input));
      return centre + (to + 0.5) / scale - 0.5;
    }
    case "asymmetric":
      return to / scale;
    case "align_corners":
      return output === 1 ? 0 : (to * (input - 1)) / (output - 1);
    default:
      throw site.fault(`it places pixels by ${mode}`, "Use half_pixel or another mode.");
  }
}

function nearest(mode: string, at: number): number {
  switch (mode) {
    case "floor":
      return Math.floor(at);
    case "ceil":
      return Math.ceil(at);
    case "round_prefer_ceil":
      return Math.floor(at + 0.5);
    default:
      return Math.ceil(at - 0.5);
  }
}

export const resizes: Rules = { Resize: resize };
