// Gradients of operators that cut, pad, repeat or reorder elements: the same movement backwards, with
// zeros where nothing was read and sums where something was read more than once.

import { intOf, textOf } from "../../../onnx/index.ts";
import { scatterAlong } from "./gather.ts";
import type { Rules, Site, Vjp } from "./rule.ts";
import { axisFrom, range, type Value, type Writer } from "./writer.ts";

/** What a Slice takes along one axis, clamped as ONNX says. */
interface Taken {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
}

function takenBy(site: Site): readonly Taken[] {
  const { dims } = site.input(0);
  const starts = site.numbers(1);
  const axes = site.has(3) ? site.numbers(3) : range(0, starts.length);
  const steps = site.has(4) ? site.numbers(4) : starts.map(() => 1);
  return axes.map((given, at) => {
    const axis = axisFrom(given, dims.length);
    const size = dims[axis] ?? 0;
    const step = steps[at] ?? 1;
    const start = axisFrom(starts[at] ?? 0, size);
    const last = step > 0 ? size : size - 1;
    return { axis, step, start: Math.min(Math.max(start, 0), last) };
  });
}

const slice: Vjp = (site) => [
  () => {
    const { dims } = site.input(0);
    return takenBy(site).reduce(
      (dy, taken) => putBack(site.write, dy, taken, dims[taken.axis] ?? 0),
      site.dy,
    );
  },
];

/** Elements at their places along an axis of `size`, zeros between and around them. */
function putBack(write: Writer, dy: Value, { axis, start, step }: Taken, size: number): Value {
  const count = dy.dims[axis] ?? 0;
  const first = step > 0 ? start : start + (count - 1) * step;
  const forward = step > 0 ? dy : write.reversed(dy, axis);
  const spaced = dilated(write, forward, axis, Math.abs(step));
  const before = range(0, dy.dims.length).map((at) => (at === axis ? first : 0));
  const length = spaced.dims[axis] ?? 0;
  const after = before.map((_, at) => (at === axis ? size - first - length : 0));
  return write.pad(spaced, [...before, ...after]);
}

/** Zeros after each element along an axis, so that the elements stand `step` apart. */
function dilated(write: Writer, x: Value, axis: number, step: number): Value {
  const size = x.dims[axis] ?? 0;
  if (step === 1 || size < 2) return x;
  const [before, after] = [x.dims.slice(0, axis), x.dims.slice(axis + 1)];
  const single = write.reshape(x, [...before, size, 1, ...after]);
  const none = single.dims.map(() => 0);
  const ends = none.map((_, at) => (at === axis + 1 ? step - 1 : 0));
  const spread = write.pad(single, [...none, ...ends]);
  return write.reshape(spread, [...before, size * step, ...after]);
}

/** Constant padding is cut off again; reflected and repeated elements add to where they came from. */
const pad: Vjp = (site) => [
  () => {
    const { write } = site;
    const { dims } = site.input(0);
    const given = site.numbers(1);
    const half = given.length / 2;
    const axes = site.has(3)
      ? site.numbers(3).map((axis) => axisFrom(axis, dims.length))
      : range(0, dims.length);
    const before = dims.map((_, axis) => given[axes.indexOf(axis)] ?? 0);
    const after = dims.map((_, axis) => given[axes.indexOf(axis) + half] ?? 0);
    const along = (axis: number): number => (axes.includes(axis) ? 1 : 0);
    const mode = textOf(site.node, "mode", "constant");
    if (mode === "constant") {
      const pads = [...before, ...after].map((size, at) => -size * along(at % dims.length) + 0);
      return write.pad(site.dy, pads);
    }
    return axes.reduce((dy, axis) => {
      const size = dims[axis] ?? 0;
      const places = range(-(before[axis] ?? 0), size + (after[axis] ?? 0));
      const indices = write.ints(places.map((place) => sourceOf(mode, place, size)));
      return scatterAlong(site, dy, { axis, indices, size });
    }, site.dy);
  },
];

/** Which element a padded place repeats (ONNX, Pad). */
function sourceOf(mode: string, place: number, size: number): number {
  if (mode === "edge") return Math.min(Math.max(place, 0), size - 1);
  if (mode === "wrap") return ((place % size) + size) % size;
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const within = ((place % period) + period) % period;
  return within < size ? within : period - within;
}

/** The sum over the copies. */
const tile: Vjp = (site) => [
  () => {
    const { dims } = site.input(0);
    const repeats = site.numbers(1);
    const split = dims.flatMap((dim, axis) => [repeats[axis] ?? 1, dim]);
    const axes = range(0, dims.length).map((axis) => 2 * axis);
    return site.write.sum(site.write.reshape(site.dy, split), axes, false);
  },
];

/** [N, b, b, C, H, W] for depth first, [N, C, b, b, H, W] for columns first (ONNX, DepthToSpace). */
const depthToSpace: Vjp = (site) => [
  () => {
    const { write, node } = site;
    const [n = 1, c = 1, h = 1, w = 1] = site.input(0).dims;
    const block = intOf(node, "blocksize", 1);
    const channels = c / (block * block);
    const parts = write.reshape(site.dy, [n, channels, h, block, w, block]);
    const order = textOf(node, "mode", "DCR") === "DCR" ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4];
    return write.reshape(write.transpose(parts, order), [n, c, h, w]);
  },
];

const spaceToDepth: Vjp = (site) => [
  () => {
    const { write, node } = site;
    const [n = 1, c = 1, h = 1, w = 1] = site.input(0).dims;
    const block = intOf(node, "blocksize", 1);
    const parts = write.reshape(site.dy, [n, block, block, c, h / block, w / block]);
    return write.reshape(write.transpose(parts, [0, 3, 4, 1, 5, 2]), [n, c, h, w]);
  },
];

const trilu: Vjp = (site) => [
  () => {
    const inputs = site.has(1) ? [site.dy, site.input(1)] : [site.dy];
    const upper = intOf(site.node, "upper", 1);
    return site.write.op("Trilu", inputs, { dims: site.dy.dims, attributes: { upper } });
  },
];

/** A running sum from the other end. */
const cumSum: Vjp = (site) => [
  () => {
    const exclusive = intOf(site.node, "exclusive", 0);
    const reverse = 1 - intOf(site.node, "reverse", 0);
    const attributes = { exclusive, reverse };
    return site.write.op("CumSum", [site.dy, site.input(1)], { dims: site.dy.dims, attributes });
  },
];

export const movements: Rules = {
  Slice: slice,
  Pad: pad,
  Tile: tile,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  Trilu: trilu,
  CumSum: cumSum,
};
