// The gradient of a depthwise convolution by its weights as matrix products. For each row of the kernel
// x^T dy, summed over samples and rows of the image, is a matrix of the columns of x against those of dy;
// sums along its diagonals are the gradient. Most of the product is thrown away, and still it is fast.

import { type ConvCase, isDepthwise } from "./convolution-case.ts";
import type { Lowering } from "./lowering.ts";
import { product } from "./matrix.ts";
import { range, type Value, type Writer } from "./writer.ts";

export const diagonal: Lowering<ConvCase> = {
  name: "diagonal",
  // One output a channel, two axes.
  applies: (of) => isDepthwise(of) && of.x.length === 4,
  write(write, [x, dy], of) {
    if (x === undefined || dy === undefined) throw new TypeError("x and dy are needed");
    const [, channels = 1] = of.x;
    const images = bands(write, write.transpose(x, [1, 0, 2, 3]), of);
    const slopes = write.transpose(dy, [1, 0, 2, 3]);
    const shifts = shiftsOf(of);
    const products = shifts.map((shift) => {
      const shifted = bandsOfOutput(write, slopes, of, shift);
      const square = product({ write, target: "cpu" }, images, shifted, { a: true });
      return write.reshape(square, [channels, square.dims.slice(1).reduce((a, b) => a * b, 1)]);
    });
    const all = write.concat(products, 1);
    const width = all.dims[1] ?? 1;
    const places = (of.w[2] ?? 1) * (of.w[3] ?? 1);
    const mask = write.constant(x.dataType, [places, width], diagonals(of, shifts));
    return write.reshape(write.gemm(all, mask, { b: true }), of.w);
  },
};

/** Rows of the input that one row of the output steps over are a band. */
const bandsIn = ({ x, strides }: ConvCase): number => Math.ceil((x[2] ?? 1) / (strides[0] ?? 1));

/** [C, N bands, rows columns]: the rows of a band side by side. */
function bands(write: Writer, x: Value, of: ConvCase): Value {
  const [c = 1, n = 1, height = 1, columns = 1] = x.dims;
  const count = bandsIn(of);
  const rows = of.strides[0] ?? 1;
  const whole = write.pad(x, [0, 0, 0, 0, 0, 0, count * rows - height, 0]);
  return write.reshape(whole, [c, n * count, rows * columns]);
}

/** [C, N bands, columns]: each row of dy at the band that lies `shift` bands further on in x. */
function bandsOfOutput(write: Writer, dy: Value, of: ConvCase, shift: number): Value {
  const [c = 1, n = 1, height = 1, columns = 1] = dy.dims;
  const count = bandsIn(of);
  const placed = write.pad(dy, [0, 0, shift, 0, 0, 0, count - height - shift, 0]);
  return write.reshape(placed, [c, n * count, columns]);
}

/** The row of x, counted from the band of the output, that a row of the kernel reads. */
const rowOf = ({ dilations, begin }: ConvCase, row: number): number =>
  row * (dilations[0] ?? 1) - (begin[0] ?? 0);

/** By how many bands x and dy are shifted against each other, for the rows of the kernel. */
function shiftsOf(of: ConvCase): readonly number[] {
  const rows = range(0, of.w[2] ?? 1);
  return [...new Set(rows.map((row) => Math.floor(rowOf(of, row) / (of.strides[0] ?? 1))))];
}

/** [k, shifts rows W W']: 1 where a column of x meets one of dy under a place of the kernel. */
function diagonals(of: ConvCase, shifts: readonly number[]): Float32Array {
  const [columns = 1, width = 1] = [of.x[3], of.y[3]];
  const [height = 1, across = 1] = of.w.slice(2);
  const [rows = 1, step = 1] = of.strides;
  const length = shifts.length * rows * columns * width;
  const mask = new Float32Array(height * across * length);
  for (const row of range(0, height)) {
    const shift = Math.floor(rowOf(of, row) / rows);
    const within = rowOf(of, row) - shift * rows;
    const block = (shifts.indexOf(shift) * rows + within) * columns;
    for (const k of range(0, across)) {
      for (const output of range(0, width)) {
        const column = output * step + k * (of.dilations[1] ?? 1) - (of.begin[1] ?? 0);
        if (column < 0 || column >= columns) continue;
        mask[(row * across + k) * length + (block + column) * width + output] = 1;
      }
    }
  }
  return mask;
}
