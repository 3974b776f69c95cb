// Gradients of pools.

import { intOf, intsOf } from "../../../onnx/index.ts";
import type { Lowering, LoweringFamily } from "./lowering.ts";
import type { Prepare, Rules, Site, Vjp } from "./rule.ts";
import { disjoint, tiles, type Windows, windowsOf } from "./window.ts";
import { range, sizeOf, type Value, type Writer } from "./writer.ts";

function poolOf({ node, input, output }: Site): Windows {
  const x = input(0).dims.slice(2);
  return windowsOf(node, {
    input: x,
    output: output().dims.slice(2),
    kernel: intsOf(node, "kernel_shape", x),
  });
}

/** The gradient goes where the maximum was, which the pool says. */
const maxPool: Vjp = (site) => [
  () => {
    const { write, dy } = site;
    const x = site.input(0);
    const windows = poolOf(site);
    if (site.target !== "webgpu" && isMosaic(x, windows)) {
      const mosaic = { ...windows, columns: dy.dims[3] ?? 1 };
      return site.choose(maxPoolGradient, mosaic, write, [x, dy]);
    }
    if (site.node.outputs[1] === undefined) return maxByComparison(site, windows);
    const places = site.output(1);
    if (disjoint(windows) && windows.end.every((pad) => pad <= 0) && x.dims.length === 4) {
      const attributes = { kernel_shape: windows.kernel, strides: windows.strides };
      return write.op("MaxUnpool", [dy, places, write.ints(x.dims)], { dims: x.dims, attributes });
    }
    const flat = write.op(
      "ScatterElements",
      [
        write.full([sizeOf(x.dims)], 0, x.dataType),
        write.reshape(places, [sizeOf(places.dims)]),
        write.reshape(dy, [sizeOf(dy.dims)]),
      ],
      { dims: [sizeOf(x.dims)], attributes: { axis: 0, reduction: "add" } },
    );
    return write.reshape(flat, x.dims);
  },
];

/** Whether an image is cut up into windows, with nothing left over. */
const isMosaic = ({ dims, dataType }: Value, windows: Windows): boolean =>
  dims.length === 4 &&
  dataType === "float32" &&
  tiles(windows) &&
  windows.end.every((pad) => pad === 0);

/** Windows that cut an image up, so many side by side. */
interface Mosaic extends Windows {
  readonly columns: number;
}

/** Each maximum is laid out over its window; what equals it shares its gradient. */
const compared: Lowering<Mosaic> = {
  name: "compared",
  applies: () => true,
  write(write, inputs, windows) {
    const [x, dy] = pairOf(inputs);
    // The pool once more, which ONNX Runtime finds to be the one of the forward pass.
    const attributes = { kernel_shape: windows.kernel, strides: windows.strides };
    const y = write.op("MaxPool", [x], { dims: dy.dims, attributes });
    const below = write.sub(x, laidOut(write, y, windows));
    // A step: 1 at 0, and 0 below.
    const hits = write.unary("HardSigmoid", below, { alpha: 1e30, beta: 1 });
    const share = write.div(dy, sumOfWindows(write, hits, { dims: dy.dims, windows }));
    return write.mul(hits, laidOut(write, share, windows));
  },
};

/** A second pool that tells the place of each maximum, the first where several are equal. */
const placed: Lowering<Mosaic> = {
  name: "placed",
  applies: () => true,
  write(write, inputs, { kernel, strides }) {
    const [x, dy] = pairOf(inputs);
    const attributes = { kernel_shape: kernel, strides };
    const [, places] = write.ops(
      "MaxPool",
      [x],
      [
        { dims: dy.dims, attributes },
        { dims: dy.dims, dataType: "int64" },
      ],
    );
    return write.op("MaxUnpool", [dy, places ?? null, write.ints(x.dims)], {
      dims: x.dims,
      attributes,
    });
  },
};

function pairOf([x, dy]: readonly Value[]): readonly [x: Value, dy: Value] {
  if (x === undefined || dy === undefined) throw new TypeError("x and dy are needed");
  return [x, dy];
}

/**
 * From (x, dy), for windows that cut an image up. In ONNX Runtime 1.30 a pool that tells places takes some ten
 * times as long as one that does not.
 */
const maxPoolGradient: LoweringFamily<Mosaic> = {
  name: "max-pool-gradient",
  lowerings: [placed, compared],
  // Products with 0 and 1 grow with the columns of the image.
  guess: ({ columns }) => (columns <= 64 ? compared.name : placed.name),
};

/** Sums over the windows of a mosaic, as one product: its reductions of short axes are slower by far. */
function sumOfWindows(
  write: Writer,
  x: Value,
  { dims, windows }: { readonly dims: readonly number[]; readonly windows: Windows },
): Value {
  const [n = 1, c = 1, rows = 1, columns = 1] = dims;
  const [height = 1, width = 1] = windows.kernel;
  const band = height * columns * width;
  const members = new Float32Array(band * columns);
  for (const at of range(0, band)) {
    const column = Math.floor((at % (columns * width)) / width);
    members[at * columns + column] = 1;
  }
  const bands = write.reshape(x, [n * c * rows, band]);
  const sums = write.matmul(bands, write.constant(x.dataType, [band, columns], members));
  return write.reshape(sums, dims);
}

/** Without places: elements that equal the maximum of their window share its gradient. */
function maxByComparison(site: Site, windows: Windows): Value {
  const { write, dy } = site;
  const [x, y] = [site.input(0), site.output()];
  const columns = windowColumns(site, x, windows);
  const dims = [...columns.dims.slice(0, 2), 1, ...y.dims.slice(2)];
  const hits = write.indicator("Equal", columns, write.reshape(y, dims));
  const share = write.div(write.reshape(dy, dims), write.sum(hits, [2]));
  return columnsBack(site, write.mul(hits, share), windows);
}

/** [N, C, k, out]: the windows of every channel, padding as the lowest number. */
function windowColumns({ write }: Site, x: Value, windows: Windows): Value {
  const { kernel, strides, dilations, begin, end } = windows;
  const lowest = write.scalar(LOWEST, x.dataType);
  const pads = write.ints([0, 0, ...begin, 0, 0, ...end]);
  const padded = write.op("Pad", [x, pads, lowest], {
    dims: x.dims.map(
      (dim, axis) => dim + (axis < 2 ? 0 : (begin[axis - 2] ?? 0) + (end[axis - 2] ?? 0)),
    ),
  });
  const parts = placesOf(kernel).map((place) => {
    const cuts = place.map((offset, axis) => {
      const size = padded.dims[axis + 2] ?? 0;
      const start = offset * (dilations[axis] ?? 1);
      const span = (dilations[axis] ?? 1) * ((kernel[axis] ?? 1) - 1);
      return { axis: axis + 2, start, end: size - span + start, step: strides[axis] ?? 1 };
    });
    const part = write.slice(padded, cuts);
    return write.reshape(part, [...part.dims.slice(0, 2), 1, ...part.dims.slice(2)]);
  });
  return write.concat(parts, 2);
}

/** Below every number that a pool meets; -Infinity would make NaN of 0 times it. */
const LOWEST = -3.4e38;

/** The adjoint of windowColumns: a transposed convolution with one-hot kernels. */
function columnsBack(site: Site, columns: Value, windows: Windows): Value {
  const { write } = site;
  const [n = 1, c = 1, places = 1, ...size] = columns.dims;
  const ones = new Float32Array(c * places * places);
  for (const row of range(0, c * places)) ones[row * places + (row % places)] = 1;
  const kernels = write.constant(columns.dataType, [c * places, 1, ...windows.kernel], ones);
  return spread(site, write.reshape(columns, [n, c * places, ...size]), { kernels, windows });
}

/** Offsets within a window, last axis fastest. */
function placesOf(kernel: readonly number[]): readonly (readonly number[])[] {
  return kernel.reduce<readonly (readonly number[])[]>(
    (places, size) => places.flatMap((place) => range(0, size).map((at) => [...place, at])),
    [[]],
  );
}

/** Each channel's values laid out over its windows. */
function spread(
  site: Site,
  values: Value,
  { kernels, windows }: { readonly kernels: Value; readonly windows: Windows },
): Value {
  const { strides, dilations, begin, end } = windows;
  const x = site.input(0).dims;
  return site.write.op("ConvTranspose", [values, kernels], {
    dims: x,
    attributes: {
      kernel_shape: windows.kernel,
      group: x[1] ?? 1,
      strides,
      dilations,
      pads: [...begin, ...end.map((pad) => Math.max(0, pad))],
      output_padding: end.map((pad) => Math.max(0, -pad)),
    },
  });
}

/** Every element of a window gets its share; windows that reach into padding may have fewer. */
const averagePool: Vjp = (site) => [
  () => {
    const { write } = site;
    const windows = poolOf(site);
    const shares = sharesOf(site, windows);
    const [first = 0] = shares;
    const uniform = shares.every((share) => share === first);
    const spatial = site.dy.dims.slice(2);
    const dy = uniform
      ? write.scale(site.dy, first)
      : write.mul(site.dy, write.constant(site.dy.dataType, [1, 1, ...spatial], shares));
    if (uniform && tiles(windows)) return repeated(site, dy, windows);
    const channels = dy.dims[1] ?? 1;
    const count = channels * sizeOf(windows.kernel);
    const ones = new Float32Array(count).fill(1);
    const kernels = write.constant(dy.dataType, [channels, 1, ...windows.kernel], ones);
    return spread(site, dy, { kernels, windows });
  },
];

/** Every element k times along each axis. */
function repeated({ write, target }: Site, dy: Value, windows: Windows): Value {
  const { kernel, end } = windows;
  const [n = 1, c = 1, ...size] = dy.dims;
  if (target !== "webgpu" && dy.dataType === "float32" && size.length === 2) {
    if (end.every((pad) => pad === 0)) return laidOut(write, dy, windows);
  }
  const single = write.reshape(dy, [n, c, ...size.flatMap((dim) => [dim, 1])]);
  const many = write.expand(single, [n, c, ...size.flatMap((dim, at) => [dim, kernel[at] ?? 1])]);
  const whole = write.reshape(many, [n, c, ...size.map((dim, at) => dim * (kernel[at] ?? 1))]);
  return write.pad(whole, [0, 0, ...end.map(() => 0), 0, 0, ...end.map((pad) => -pad)]);
}

/** The same for images that are cut up, in the operator that is the fastest at it. */
function laidOut(write: Writer, y: Value, { kernel }: Windows): Value {
  const [n = 1, c = 1, ...size] = y.dims;
  return write.op("Resize", [y, null, write.constant("float32", [4], [1, 1, ...kernel])], {
    dims: [n, c, ...size.map((dim, at) => dim * (kernel[at] ?? 1))],
    attributes: NEAREST,
  });
}

const NEAREST = {
  mode: "nearest",
  coordinate_transformation_mode: "asymmetric",
  nearest_mode: "floor",
};

/** One over the number of elements that each window averages (ONNX, AveragePool). */
function sharesOf(site: Site, windows: Windows): readonly number[] {
  const { kernel, strides, dilations, begin, statedEnd } = windows;
  const withPadding = intOf(site.node, "count_include_pad", 0) !== 0;
  const x = site.input(0).dims.slice(2);
  const y = site.output().dims.slice(2);
  const counts = y.map((outputs, axis) => {
    const last = (x[axis] ?? 0) + (withPadding ? (statedEnd[axis] ?? 0) : 0);
    const first = withPadding ? -(begin[axis] ?? 0) : 0;
    return range(0, outputs).map((at) => {
      const start = at * (strides[axis] ?? 1) - (begin[axis] ?? 0);
      const places = range(0, kernel[axis] ?? 1).map((k) => start + k * (dilations[axis] ?? 1));
      return places.filter((place) => place >= first && place < last).length;
    });
  });
  return placesOf(y).map(
    (place) => 1 / place.reduce((product, at, axis) => product * (counts[axis]?.[at] ?? 1), 1),
  );
}

const globalAveragePool: Vjp = (site) => [
  () => {
    const { dims } = site.input(0);
    return site.write.expand(site.write.scale(site.dy, 1 / sizeOf(dims.slice(2))), dims);
  },
];

/** Pixels that share the maximum share the gradient. */
const globalMaxPool: Vjp = (site) => [
  () => {
    const { write, dy } = site;
    const x = site.input(0);
    const hits = write.indicator("Equal", x, site.output());
    return write.mul(hits, write.div(dy, write.sum(hits, range(2, x.dims.length))));
  },
];

/** The places of the maxima. WebGPU has no pool that tells them. */
export const withPlaces: Prepare = (node, extra, target) =>
  target === "webgpu" || (node.outputs[1] ?? "") !== ""
    ? node
    : { ...node, outputs: [node.outputs[0] ?? "", extra("places")] };

export const pools: Rules = {
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: globalAveragePool,
  GlobalMaxPool: globalMaxPool,
};
