// Gradients of matrix products.

import { floatOf, intOf } from "../../../onnx/index.ts";
import type { Rules, Site, Vjp } from "./rule.ts";
import { range, sizeOf, type Value, type Writer } from "./writer.ts";

/** A batched product with the last two axes of either factor exchanged first. */
export function product(
  { write, target }: Pick<Site, "write" | "target">,
  a: Value,
  b: Value,
  transposed: { readonly a?: boolean; readonly b?: boolean },
): Value {
  const swapped = (x: Value): Value => write.transpose(x, lastSwapped(x.dims.length));
  // WebGPU sends FusedMatMul back to the CPU; other types than float32 have no kernel.
  const fused = target !== "webgpu" && a.dataType === "float32";
  if (!fused || !(transposed.a || transposed.b)) {
    return write.matmul(transposed.a ? swapped(a) : a, transposed.b ? swapped(b) : b);
  }
  const { dims } = shapeOnly(a, b, transposed);
  return write.op({ type: "FusedMatMul", domain: "com.microsoft" }, [a, b], {
    dims,
    attributes: { transA: transposed.a ? 1 : 0, transB: transposed.b ? 1 : 0 },
  });
}

function shapeOnly(
  a: Value,
  b: Value,
  transposed: { readonly a?: boolean; readonly b?: boolean },
): { readonly dims: readonly number[] } {
  const rank = Math.max(a.dims.length, b.dims.length);
  const batch = range(0, rank - 2).map((axis) =>
    Math.max(a.dims.at(axis - rank) ?? 1, b.dims.at(axis - rank) ?? 1),
  );
  const rows = a.dims.at(transposed.a ? -1 : -2) ?? 1;
  const columns = b.dims.at(transposed.b ? -2 : -1) ?? 1;
  return { dims: [...batch, rows, columns] };
}

const lastSwapped = (rank: number): readonly number[] => [
  ...range(0, rank - 2),
  rank - 1,
  rank - 2,
];

/** The value as a matrix: all axes but the last become rows. */
const asMatrix = (write: Writer, x: Value): Value => {
  const columns = x.dims.at(-1) ?? 1;
  return write.reshape(x, [sizeOf(x.dims.slice(0, -1)), columns]);
};

/** Y = A B: dA = dY B^T, dB = A^T dY, each summed over what was broadcast. */
const matMul: Vjp = (site) => {
  const { write } = site;
  const [left, right] = [site.input(0), site.input(1)];
  // Vectors count as a row on the left and a column on the right.
  const a = left.dims.length === 1 ? write.reshape(left, [1, ...left.dims]) : left;
  const b = right.dims.length === 1 ? write.reshape(right, [...right.dims, 1]) : right;
  const dy = write.reshape(site.dy, shapeOnly(a, b, {}).dims);
  const shared = b.dims.length === 2;
  return [
    () => {
      if (!shared) return back(write, product(site, dy, b, { b: true }), a, left);
      const flat = write.gemm(asMatrix(write, dy), b, { b: true });
      return back(write, write.reshape(flat, [...dy.dims.slice(0, -1), b.dims[0] ?? 1]), a, left);
    },
    () => {
      if (!shared || sizeOf(a.dims.slice(0, -1)) !== sizeOf(dy.dims.slice(0, -1))) {
        return back(write, product(site, a, dy, { a: true }), b, right);
      }
      const flat = write.gemm(asMatrix(write, a), asMatrix(write, dy), { a: true });
      return back(write, flat, b, right);
    },
  ];
};

/** A gradient in the sizes of the factor as the product read it, then as it was given. */
const back = (write: Writer, gradient: Value, factor: Value, given: Value): Value =>
  write.reshape(write.sumTo(gradient, factor.dims), given.dims);

/** Y = alpha op(A) op(B) + beta C. */
const gemm: Vjp = (site) => {
  const { write, node, dy } = site;
  const transA = intOf(node, "transA", 0) !== 0;
  const transB = intOf(node, "transB", 0) !== 0;
  const alpha = floatOf(node, "alpha", 1);
  const scaled = (): Value => write.scale(dy, alpha);
  return [
    () => {
      const b = site.input(1);
      return transA
        ? write.gemm(b, scaled(), { a: transB, b: true })
        : write.gemm(scaled(), b, { b: !transB });
    },
    () => {
      const a = site.input(0);
      return transB
        ? write.gemm(scaled(), a, { a: true, b: transA })
        : write.gemm(a, scaled(), { a: !transA });
    },
    site.has(2)
      ? () => write.scale(write.sumTo(dy, site.input(2).dims), floatOf(node, "beta", 1))
      : null,
  ];
};

/** ONNX Runtime's product with transposed factors and a scale; batches transposed too are left out. */
const fusedMatMul: Vjp = (site) => {
  const { write, node } = site;
  if (intOf(node, "transBatchA", 0) !== 0 || intOf(node, "transBatchB", 0) !== 0) {
    throw site.fault("it transposes batch axes", "Write it as Transpose and MatMul.");
  }
  const transA = intOf(node, "transA", 0) !== 0;
  const transB = intOf(node, "transB", 0) !== 0;
  const [a, b] = [site.input(0), site.input(1)];
  const dy = write.scale(site.dy, floatOf(node, "alpha", 1));
  return [
    () => {
      const da = transA
        ? product(site, b, dy, { a: transB, b: true })
        : product(site, dy, b, { b: !transB });
      return write.sumTo(da, a.dims);
    },
    () => {
      const db = transB
        ? product(site, dy, a, { a: true, b: transA })
        : product(site, a, dy, { a: !transA });
      return write.sumTo(db, b.dims);
    },
  ];
};

export const matrices: Rules = {
  MatMul: matMul,
  Gemm: gemm,
  "com.microsoft::FusedMatMul": fusedMatMul,
};
