// Steps of a sequence one by one, and products with all of them at once.

import type { Value, Writer } from "./writer.ts";

/** [T, N, K] as [T N, K]. */
export const asRows = (write: Writer, x: Value): Value => {
  const [steps = 1, samples = 1, columns = 1] = x.dims;
  return write.reshape(x, [steps * samples, columns]);
};

/** The steps of [T, N, K], each [N, K]. */
export const stepsOf = (write: Writer, x: Value): readonly Value[] =>
  write.split(x, 0, x.dims[0] ?? 1).map((step) => write.reshape(step, x.dims.slice(1)));

/** Steps of [N, K] each as [T, N, K]. */
export const joined = (write: Writer, steps: readonly Value[]): Value =>
  write.concat(
    steps.map((step) => write.reshape(step, [1, ...step.dims])),
    0,
  );

/** x W^T for all steps: [T, N, K] by [M, K] to [T, N, M]. */
export function projected(write: Writer, x: Value, w: Value): Value {
  const [steps = 1, samples = 1] = x.dims;
  return write.reshape(write.gemm(asRows(write, x), w, { b: true }), [
    steps,
    samples,
    w.dims[0] ?? 1,
  ]);
}

/** Gates before their activation: x W^T + h R^T and both biases. */
export function preactivations(
  write: Writer,
  of: {
    readonly x: Value;
    readonly w: Value;
    readonly h: Value;
    readonly r: Value;
    readonly bias: readonly [Value, Value] | null;
  },
): Value {
  const sum = write.add(projected(write, of.x, of.w), projected(write, of.h, of.r));
  return of.bias === null ? sum : write.add(sum, write.add(of.bias[0], of.bias[1]));
}

/** y (1 - y), the slope of a sigmoid by its value. */
export const sigmoidSlope = (write: Writer, y: Value): Value => write.sub(y, write.mul(y, y));

/** 1 - y^2, the slope of a tangent by its value. */
export const tanhSlope = (write: Writer, y: Value): Value =>
  write.sub(write.scalar(1, y.dataType), write.mul(y, y));
