// The four ways to split a layer.

import { type Matrix, transpose } from "../../../engine/index.ts";
import { attributeOf, intsOf, textOf } from "../../../onnx/index.ts";
import { type Layer, matrixOf, weightsOf } from "../layer.ts";
import { chainOf, type Link, type WindowAttributes } from "./chain.ts";
import { cp } from "./cp.ts";
import { type Factors, type Spectrum, spectrumOf } from "./low-rank.ts";
import type { Chain, Method, Prepared } from "./method.ts";
import { modeSpectra, tucker2 } from "./tucker.ts";
import type { DenseTensor } from "./unfold.ts";

const windowSize = ({ window }: Layer): number =>
  window.reduce((product, size) => product * size, 1);

/** `from` maps a matrix to a tensor of these dimensions without moving its elements. */
const shaped = ({ data }: Matrix, dims: readonly number[]): DenseTensor => ({ dims, data });

const chainOfLinks = (links: readonly Link[], error: number): Chain => ({
  nodes: links.map(({ node }) => node),
  initializers: links.map(({ initializer }) => initializer),
  error,
});

/** Relative error of a cut, from the energy that it keeps. */
function cutError({ values, energy }: Spectrum, rank: number): number {
  const kept = values.subarray(0, rank).reduce((sum, value) => sum + value ** 2, 0);
  return energy === 0 ? 0 : Math.sqrt(Math.max(0, energy - kept) / energy);
}

/**
 * W [inputs x window, outputs] as two matrices: a convolution to r channels with the layer's own window,
 * then one of a single position. The only method that can be weighted by data.
 */
export const svdMethod: Method = {
  name: "svd",
  refuse: () => null,
  async prepare(layer, { products, moments, leading }) {
    const weights = matrixOf(layer);
    const { rows, columns } = weights;
    const spectrum = await spectrumOf(products, weights, { gram: moments?.gram, leading });
    const { values, whitened } = spectrum;
    return {
      layer,
      method: "svd",
      whitened,
      most: [Math.min(rows, columns)],
      spectra: [{ values, rows, columns }],
      parameters: ([rank = 0]) => rank * (rows + columns),
      macs: ([rank = 0], { written }) => rank * (rows + columns) * written,
      async cut([rank = 0]) {
        return chainOfLinks(svdLinks(layer, await spectrum.cut(rank)), cutError(spectrum, rank));
      },
    };
  },
};

function svdLinks(layer: Layer, { left, right }: Factors): readonly Link[] {
  const { kind, inputs, outputs, window } = layer;
  const chain = chainOf(layer, 2);
  const rank = left.columns;
  if (kind === "matrix") {
    return [
      chain.matrix(0, shaped(left, [inputs, rank])),
      chain.matrix(1, shaped(right, [rank, outputs])),
    ];
  }
  return [
    chain.inner(0, shaped(transpose(left), [rank, inputs, ...window])),
    chain.pointwise(1, shaped(transpose(right), [outputs, rank, ...window.map(() => 1)])),
  ];
}

const kernelOf = (layer: Layer): DenseTensor => ({
  dims: [layer.outputs, layer.inputs, ...layer.window],
  data: weightsOf(layer),
});

/** Fewer input channels, then the window between few channels, then all output channels. */
export const tuckerMethod: Method = {
  name: "tucker2",
  refuse(layer) {
    if (layer.kind === "matrix") return "it is a matrix, for which Tucker-2 is the SVD";
    return windowSize(layer) === 1
      ? "its window is one position; the SVD needs one node less"
      : null;
  },
  async prepare(layer, { products, leading }) {
    const kernel = kernelOf(layer);
    const { inputs, outputs, window } = layer;
    const positions = windowSize(layer);
    const spectra = leading === undefined ? await modeSpectra(products, kernel) : [];
    const ones = window.map(() => 1);
    return {
      layer,
      method: "tucker2",
      whitened: false,
      most: [Math.min(outputs, inputs * positions), Math.min(inputs, outputs * positions)],
      spectra,
      parameters: ([out = 0, into = 0]) => inputs * into + into * out * positions + out * outputs,
      macs: ([out = 0, into = 0], { read, written }) =>
        inputs * into * read + (into * out * positions + out * outputs) * written,
      async cut([out = 0, into = 0]) {
        const { input, output, core, error } = await tucker2(products, kernel, [out, into]);
        const chain = chainOf(layer, 3);
        const links = [
          chain.pointwise(0, shaped(transpose(input), [into, inputs, ...ones])),
          chain.inner(1, core),
          chain.pointwise(2, shaped(output, [outputs, out, ...ones])),
        ];
        return chainOfLinks(links, error);
      },
    };
  },
};

const notTwoDimensional = (layer: Layer): string | null => {
  if (layer.kind === "matrix") return "it is a matrix, not a convolution";
  if (layer.window.length !== 2) return `its window has ${layer.window.length} axes, not 2`;
  if (windowSize(layer) === 1) return "its window is one position; there is nothing to split";
  const padding = textOf(layer.node, "auto_pad", "NOTSET");
  return padding === "NOTSET" || padding === "VALID" ? null : `its padding is ${padding}`;
};

/** The layer's window attributes along one axis: 0 vertical, 1 horizontal. */
function alongAxis({ node, window }: Layer, axis: 0 | 1): WindowAttributes {
  const pads = intsOf(node, "pads", [0, 0, 0, 0]);
  const only = (values: readonly number[], neutral: number): number[] =>
    [0, 1].map((at) => (at === axis ? (values[at] ?? neutral) : neutral));
  return {
    kernel: only(window, 1),
    pads: [...only(pads.slice(0, 2), 0), ...only(pads.slice(2), 0)],
    strides: only(attributeOf(node, "strides") === null ? [1, 1] : intsOf(node, "strides", []), 1),
    dilations: only(intsOf(node, "dilations", [1, 1]), 1),
  };
}

/** [inputs x height, width x outputs]: a vertical convolution to r channels, then a horizontal one. */
export const spatialMethod: Method = {
  name: "spatial",
  refuse: notTwoDimensional,
  async prepare(layer, { products }) {
    const { inputs, outputs, window } = layer;
    const [height = 1, width = 1] = window;
    // W[o, c, i, j] with (c, i) down and (j, o) across.
    const unfolded = permuteKernel(kernelOf(layer));
    const spectrum = await spectrumOf(products, {
      rows: inputs * height,
      columns: width * outputs,
      data: unfolded,
    });
    const { values } = spectrum;
    return {
      layer,
      method: "spatial",
      whitened: false,
      most: [values.length],
      spectra: [{ values, rows: inputs * height, columns: width * outputs }],
      parameters: ([rank = 0]) => rank * (inputs * height + width * outputs),
      // Between the two the map is as high as the output and as wide as the input.
      macs: ([rank = 0], { read, written }) =>
        rank * (inputs * height * Math.sqrt(read * written) + width * outputs * written),
      async cut([rank = 0]) {
        const { left, right } = await spectrum.cut(rank);
        const chain = chainOf(layer, 2);
        const links = [
          chain.window(0, shaped(transpose(left), [rank, inputs, height, 1]), alongAxis(layer, 0)),
          chain.window(1, lastSpatial(right, { rank, width, outputs }), alongAxis(layer, 1)),
        ];
        return chainOfLinks(links, cutError(spectrum, rank));
      },
    };
  },
};

function permuteKernel({ dims, data }: DenseTensor): Float64Array {
  const [outputs = 1, inputs = 1, height = 1, width = 1] = dims;
  const result = new Float64Array(data.length);
  let from = 0;
  for (let o = 0; o < outputs; o++) {
    for (let row = 0; row < inputs * height; row++) {
      for (let j = 0; j < width; j++) result[(row * width + j) * outputs + o] = data[from++] ?? 0;
    }
  }
  return result;
}

/** [r, width x outputs] as a kernel [outputs, r, 1, width]. */
function lastSpatial(
  { data }: Matrix,
  {
    rank,
    width,
    outputs,
  }: { readonly rank: number; readonly width: number; readonly outputs: number },
): DenseTensor {
  const result = new Float64Array(data.length);
  for (let r = 0; r < rank; r++) {
    for (let j = 0; j < width; j++) {
      for (let o = 0; o < outputs; o++) {
        result[(o * rank + r) * width + j] = data[(r * width + j) * outputs + o] ?? 0;
      }
    }
  }
  return { dims: [outputs, rank, 1, width], data: result };
}

/** A sum of R products of one vector a mode: two pointwise convolutions around two depthwise ones. */
export const cpMethod: Method = {
  name: "cp",
  refuse: notTwoDimensional,
  async prepare(layer, { products, seed }): Promise<Prepared> {
    const { inputs, outputs, window } = layer;
    const [height = 1, width = 1] = window;
    const kernel = kernelOf(layer);
    return {
      layer,
      method: "cp",
      whitened: false,
      most: [Math.min(outputs * inputs, outputs * height * width, inputs * height * width)],
      spectra: [],
      parameters: ([rank = 0]) => rank * (inputs + height + width + outputs),
      macs: ([rank = 0], { read, written }) =>
        rank * (inputs * read + height * Math.sqrt(read * written) + (width + outputs) * written),
      async cut([rank = 0]) {
        const { factors, error } = await cp(products, kernel, rank, { seed });
        const [o, c, v, h] = factors;
        if (!o || !c || !v || !h) throw new RangeError("a kernel of other than four modes");
        const chain = chainOf(layer, 4);
        const links = [
          chain.pointwise(0, shaped(transpose(c), [rank, inputs, 1, 1])),
          chain.window(1, shaped(transpose(v), [rank, 1, height, 1]), {
            ...alongAxis(layer, 0),
            group: rank,
          }),
          chain.window(2, shaped(transpose(h), [rank, 1, 1, width]), {
            ...alongAxis(layer, 1),
            group: rank,
          }),
          chain.pointwise(3, shaped(o, [outputs, rank, 1, 1])),
        ];
        return chainOfLinks(links, error);
      },
    };
  },
};
