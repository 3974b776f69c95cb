// Products of matrices on the engine, in double precision: what costs O(n^3) runs in native code.

import { graphLiteral, node, port } from "../graph-literal.ts";
import { createSession, type Session, type SessionOptions } from "../session.ts";
import type { Matrix } from "./matrix.ts";

/** Multiplies matrices. Close it like a session. */
export interface Products extends AsyncDisposable {
  /** A B, with either transposed first where asked. Throws RangeError where sizes do not fit. */
  multiply(a: Matrix, b: Matrix, transposed?: Transposed): Promise<Matrix>;
  /** The Gram matrix A^T A, exactly symmetric. */
  gram(a: Matrix): Promise<Matrix>;
  close(): Promise<void>;
}

/** Which factor is transposed. */
export type Transposed = "none" | "a" | "b";

/** Starts an engine for products. Options are those of a session, threads above all. */
export async function createProducts(options: SessionOptions = {}): Promise<Products> {
  const sessions = new Map<Transposed, Promise<Session>>();
  const sessionFor = (transposed: Transposed): Promise<Session> => {
    const known = sessions.get(transposed);
    if (known !== undefined) return known;
    const session = createSession(productGraph(transposed), options);
    sessions.set(transposed, session);
    return session;
  };
  // Faults of the engine show here, not at the first product.
  await sessionFor("none");

  const multiply = async (
    a: Matrix,
    b: Matrix,
    transposed: Transposed = "none",
  ): Promise<Matrix> => {
    const [rows, inner] = transposed === "a" ? [a.columns, a.rows] : [a.rows, a.columns];
    const [other, columns] = transposed === "b" ? [b.columns, b.rows] : [b.rows, b.columns];
    if (inner !== other) throw new RangeError(`${rows} x ${inner} times ${other} x ${columns}`);
    if (rows * columns * inner === 0) {
      return { rows, columns, data: new Float64Array(rows * columns) };
    }
    const session = await sessionFor(transposed);
    const { c } = await session.run({ a: toValue(a), b: toValue(b) });
    if (!(c?.data instanceof Float64Array)) throw new TypeError("a product without elements");
    return { rows, columns, data: c.data };
  };
  const close = async (): Promise<void> => {
    const open = await Promise.all(sessions.values());
    await Promise.all(open.map((session) => session.close()));
  };
  return {
    multiply,
    gram: async (a) => symmetric(await multiply(a, a, "a")),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const productGraph = (transposed: Transposed) =>
  graphLiteral(
    [
      node("Gemm", ["a", "b"], ["c"], {
        ints: { transA: transposed === "a" ? 1 : 0, transB: transposed === "b" ? 1 : 0 },
      }),
    ],
    [port("a", "float64", ["p", "q"]), port("b", "float64", ["r", "s"])],
    [port("c", "float64", ["m", "n"])],
  );

const toValue = ({ rows, columns, data }: Matrix) =>
  ({ dataType: "float64", dims: [rows, columns], data }) as const;

/** The lower half copied to the upper: a blocked product may round the two differently. */
function symmetric({ rows, columns, data }: Matrix): Matrix {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < i; j++) data[j * columns + i] = data[i * columns + j] ?? 0;
  }
  return { rows, columns, data };
}
