import fc from "fast-check";
import {
  CholeskyDecomposition,
  EigenvalueDecomposition,
  Matrix as OracleMatrix,
  pseudoInverse,
  SingularValueDecomposition,
} from "ml-matrix";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nativeMissing } from "../../../test/engines.ts";
import { createRandom } from "../../core/index.ts";
import { cholesky, solveCholesky, solveLower } from "./cholesky.ts";
import { leastSquares } from "./least-squares.ts";
import { frobeniusNorm, identity, type Matrix, matrix, subtract, transpose } from "./matrix.ts";
import { createProducts, type Products } from "./products.ts";
import { qr } from "./qr.ts";
import { randomisedSvd } from "./randomised-svd.ts";
import { svd } from "./svd.ts";
import { symmetricEigen } from "./symmetric-eigen.ts";

const EPSILON = Number.EPSILON;

/** Plain triple loop: an oracle for the engine's products, and for checks on what stands on them. */
function times(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.rows * b.columns);
  for (let i = 0; i < a.rows; i++) {
    for (let k = 0; k < a.columns; k++) {
      for (let j = 0; j < b.columns; j++) {
        const at = i * b.columns + j;
        data[at] =
          (data[at] ?? 0) + (a.data[i * a.columns + k] ?? 0) * (b.data[k * b.columns + j] ?? 0);
      }
    }
  }
  return { rows: a.rows, columns: b.columns, data };
}

function normal(rows: number, columns: number, seed = 1): Matrix {
  const random = createRandom(seed);
  return matrix(
    rows,
    columns,
    Float64Array.from({ length: rows * columns }, () => random.normal()),
  );
}

const diagonal = (values: ArrayLike<number>): Matrix => {
  const size = values.length;
  const result = identity(size);
  for (let i = 0; i < size; i++) result.data[i * size + i] = values[i] ?? 0;
  return result;
};

/** A matrix with these singular values and random singular vectors. */
function withSpectrum(rows: number, columns: number, values: readonly number[], seed = 1): Matrix {
  const u = qr(normal(rows, values.length, seed)).q;
  const v = qr(normal(columns, values.length, seed + 1)).q;
  return times(times(u, diagonal(values)), transpose(v));
}

const toOracle = ({ rows, columns, data }: Matrix): OracleMatrix =>
  OracleMatrix.from1DArray(rows, columns, data);
const fromOracle = (m: OracleMatrix): Matrix => matrix(m.rows, m.columns, m.to1DArray());

const distance = (a: Matrix, b: Matrix): number => frobeniusNorm(subtract(a, b));
const expectNear = (a: Matrix, b: Matrix, tolerance: number): void => {
  expect([a.rows, a.columns]).toEqual([b.rows, b.columns]);
  expect(distance(a, b)).toBeLessThanOrEqual(tolerance);
};
const expectOrthonormal = (q: Matrix, tolerance = 1e-13): void =>
  expectNear(times(transpose(q), q), identity(q.columns), tolerance * q.columns);

/** Random matrices, some with dependent columns and wild scales. */
const matrices = (shape: "any" | "square" = "any") =>
  fc
    .record({
      rows: fc.integer({ min: 1, max: 12 }),
      columns: fc.integer({ min: 1, max: 12 }),
      seed: fc.integer(),
      rank: fc.integer({ min: 1, max: 12 }),
      exponent: fc.integer({ min: -100, max: 100 }),
    })
    .map(({ rows, columns, seed, rank, exponent }) => {
      const width = shape === "square" ? rows : columns;
      const inner = Math.min(rank, rows, width);
      const product = times(normal(rows, inner, seed), normal(inner, width, seed + 1));
      const data = product.data.map((value) => value * 10 ** exponent);
      return { matrix: matrix(rows, width, data), rank: inner };
    });

describe("the Cholesky factor", () => {
  test("of a known matrix is the known one", () => {
    // A classical example: L = [[2], [6, 1], [-8, 5, 3]].
    const a = matrix(3, 3, [4, 12, -16, 12, 37, -43, -16, -43, 98]);
    expect(cholesky(a)?.data).toEqual(Float64Array.of(2, 0, 0, 6, 1, 0, -8, 5, 3));
  });

  test("gives back the matrix and agrees with ml-matrix", () => {
    const b = normal(40, 30);
    const a = times(transpose(b), b);
    const l = cholesky(a);
    if (l === null) throw new Error("positive definite by construction");
    expectNear(times(l, transpose(l)), a, 1e-13 * frobeniusNorm(a));
    const oracle = fromOracle(new CholeskyDecomposition(toOracle(a)).lowerTriangularMatrix);
    expectNear(l, oracle, 1e-10 * frobeniusNorm(l));
  });

  test("does not exist for indefinite and singular matrices, nor for NaN", () => {
    expect(cholesky(matrix(2, 2, [1, 2, 2, 1]))).toBeNull();
    const thin = normal(5, 3);
    expect(cholesky(times(thin, transpose(thin)))).toBeNull();
    expect(cholesky(matrix(2, 2, [1, 0, 0, Number.NaN]))).toBeNull();
    expect(cholesky(matrix(1, 1, [0]))).toBeNull();
  });

  test("solves systems, with several right-hand sides at once", () => {
    const b = normal(30, 20);
    const a = times(transpose(b), b);
    const x = normal(20, 3, 9);
    const l = cholesky(a) ?? identity(20);
    expectNear(solveCholesky(l, times(a, x)), x, 1e-9);
    expectNear(times(l, solveLower(l, x)), x, 1e-11);
  });
});

describe("QR", () => {
  test("A P = Q R with orthonormal Q and falling diagonal, for any shape and rank", () => {
    fc.assert(
      fc.property(matrices(), fc.constantFrom("pivot", "keep"), ({ matrix: a, rank }, pivoting) => {
        const found = qr(a, pivoting);
        const size = frobeniusNorm(a);
        expectOrthonormal(found.q);
        const product = times(found.q, found.r);
        found.order.forEach((column, j) => {
          for (let i = 0; i < a.rows; i++) {
            const error =
              (product.data[i * a.columns + j] ?? 0) - (a.data[i * a.columns + column] ?? 0);
            expect(Math.abs(error)).toBeLessThanOrEqual(1e-14 * a.columns * size);
          }
        });
        const down = Array.from(
          { length: found.r.rows },
          (_, i) => found.r.data[i * a.columns + i] ?? 0,
        );
        for (const value of down) expect(value).toBeGreaterThanOrEqual(0);
        if (pivoting === "pivot") {
          down.slice(1).forEach((value, i) => {
            expect(value).toBeLessThanOrEqual((down[i] ?? 0) * (1 + 1e-12));
          });
          expect(found.rank).toBe(rank);
        }
      }),
    );
  });
});

describe("symmetric eigenvalues", () => {
  test("of the second difference are the known cosines", () => {
    // -u'' on n points: 2 - 2 cos(k pi / (n + 1)).
    const size = 50;
    const a = identity(size);
    for (let i = 0; i < size; i++) {
      a.data[i * size + i] = 2;
      if (i > 0) a.data[i * size + i - 1] = -1;
    }
    const { values } = symmetricEigen(a);
    values.forEach((value, i) => {
      expect(value).toBeCloseTo(2 - 2 * Math.cos(((size - i) * Math.PI) / (size + 1)), 13);
    });
  });

  test("rebuild the matrix with orthonormal vectors and agree with ml-matrix", () => {
    fc.assert(
      fc.property(matrices("square"), ({ matrix: b }) => {
        const size = b.rows;
        const a = {
          ...b,
          data: b.data.map((v, i) => v + (b.data[(i % size) * size + Math.floor(i / size)] ?? 0)),
        };
        const scale = frobeniusNorm(a);
        const { values, vectors } = symmetricEigen(a);
        expectOrthonormal(vectors);
        expectNear(
          times(times(vectors, diagonal(values)), transpose(vectors)),
          a,
          1e-13 * size * scale,
        );
        const oracle = new EigenvalueDecomposition(toOracle(a), { assumeSymmetric: true })
          .realEigenvalues;
        oracle
          .toSorted((x, y) => y - x)
          .forEach((value, i) => {
            expect(Math.abs(value - (values[i] ?? 0))).toBeLessThanOrEqual(1e-12 * scale);
          });
      }),
    );
  });

  test("trivial and degenerate cases", () => {
    expect([...symmetricEigen(matrix(1, 1, [-3])).values]).toEqual([-3]);
    expect([...symmetricEigen(identity(6)).values]).toEqual([1, 1, 1, 1, 1, 1]);
    expect([...symmetricEigen(matrix(3, 3, new Float64Array(9))).values]).toEqual([0, 0, 0]);
    expect(() => symmetricEigen(matrix(1, 1, [Number.NaN]))).toThrow("is NaN");
  });
});

describe.skipIf(nativeMissing !== null)("on the engine", () => {
  let products: Products;
  beforeAll(async () => {
    products = await createProducts({ threads: 1 });
  });
  afterAll(async () => {
    await products.close();
  });

  test("products are those of the plain triple loop, transposed or not", async () => {
    const [a, b] = [normal(37, 23), normal(23, 41, 2)];
    const expected = times(a, b);
    const tolerance = 1e-13 * frobeniusNorm(expected);
    expectNear(await products.multiply(a, b), expected, tolerance);
    expectNear(await products.multiply(transpose(a), b, "a"), expected, tolerance);
    expectNear(await products.multiply(a, transpose(b), "b"), expected, tolerance);
    await expect(products.multiply(a, a)).rejects.toThrow("37 x 23 times 37 x 23");
    expect(await products.multiply(normal(2, 0), normal(0, 3))).toEqual(
      matrix(2, 3, new Float64Array(6)),
    );
  });

  test("a Gram matrix is exactly symmetric", async () => {
    const a = normal(61, 45);
    const gram = await products.gram(a);
    expect(transpose(gram).data).toEqual(gram.data);
    expectNear(gram, times(transpose(a), a), 1e-13 * frobeniusNorm(gram));
  });

  describe("the singular value decomposition", () => {
    test("rebuilds matrices of any shape, rank and scale with orthonormal factors", async () => {
      await fc.assert(
        fc.asyncProperty(matrices(), async ({ matrix: a, rank }) => {
          const { u, s, v } = await svd(products, a);
          const size = frobeniusNorm(a);
          expectOrthonormal(u);
          expectOrthonormal(v);
          expectNear(times(times(u, diagonal(s)), transpose(v)), a, 1e-13 * size);
          expect(s.filter((value) => value > 1e-11 * size).length).toBeLessThanOrEqual(rank);
          const falling = s.toSorted().toReversed();
          expect(s).toEqual(falling);
          const oracle = new SingularValueDecomposition(toOracle(a), { autoTranspose: true })
            .diagonal;
          oracle.slice(0, s.length).forEach((value, i) => {
            expect(Math.abs(value - (s[i] ?? 0))).toBeLessThanOrEqual(1e-12 * size);
          });
        }),
      );
    });

    test("keeps small singular values that the Gram matrix alone would lose", async () => {
      // Squared, 1e-9 lies below the precision of doubles beside 1.
      const values = [1, 1e-3, 1e-6, 1e-9, 1e-11];
      const { u, s, v } = await svd(products, withSpectrum(40, 20, values));
      values.forEach((value, i) => {
        expect(Math.abs((s[i] ?? 0) / value - 1)).toBeLessThan(1e-4);
      });
      expectOrthonormal(u);
      expectOrthonormal(v);
    });

    test("of the Hilbert matrix agrees with its published norm", async () => {
      // Largest eigenvalue of the Hilbert matrix of order 10: 1.751919670265... (Fettis & Caslin,
      // "Eigenvalues and eigenvectors of Hilbert matrices of order 3 through 10", Math. Comp. 21, 1967).
      const size = 10;
      const data = Array.from(
        { length: size * size },
        (_, k) => 1 / (Math.floor(k / size) + (k % size) + 1),
      );
      const { s } = await svd(products, matrix(size, size, data));
      expect(s[0]).toBeCloseTo(1.751919670265, 11);
    });

    test("of zero is zero, and of NaN an error", async () => {
      const { u, s } = await svd(products, matrix(3, 2, new Float64Array(6)));
      expect([...s]).toEqual([0, 0]);
      expectOrthonormal(u);
      await expect(svd(products, matrix(1, 1, [Number.NaN]))).rejects.toThrow("is NaN");
    });
  });

  describe("the randomised decomposition", () => {
    const decaying = Array.from({ length: 80 }, (_, i) => 0.8 ** i);

    test.each([
      [120, 100],
      [100, 120],
    ])("finds the leading triplets of a falling spectrum, %i x %i", async (rows, columns) => {
      const a = withSpectrum(rows, columns, decaying);
      const { u, s, v, method, backwardError } = await randomisedSvd(products, a, 12);
      expect(method).toBe("randomised");
      expect(backwardError).toBeLessThan(1e-3);
      expectOrthonormal(u, 1e-12);
      expectOrthonormal(v, 1e-12);
      decaying.slice(0, 12).forEach((value, i) => {
        expect(Math.abs((s[i] ?? 0) / value - 1)).toBeLessThan(1e-4);
      });
      // Eckart & Young: no matrix of rank 12 is nearer than the root of the squares left out.
      const best = Math.hypot(...decaying.slice(12));
      const error = distance(times(times(u, diagonal(s)), transpose(v)), a);
      expect(error).toBeGreaterThanOrEqual(best * (1 - 1e-9));
      expect(error).toBeLessThan(best * 1.001);
    });

    test("states its backward error truly", async () => {
      const a = withSpectrum(90, 90, decaying);
      const found = await randomisedSvd(products, a, 10, { tolerance: 1 });
      const { u, s, v, backwardError } = found;
      const residual = subtract(times(a, v), times(u, diagonal(s)));
      expect(backwardError).toBeCloseTo(frobeniusNorm(residual) / frobeniusNorm(a), 12);
      // The triplets are exact for the neighbour A - R V^T, on both sides.
      const neighbour = subtract(a, times(residual, transpose(v)));
      expectNear(times(neighbour, v), times(u, diagonal(s)), 1e-12);
      expectNear(times(transpose(neighbour), u), times(v, diagonal(s)), 1e-12);
    });

    test("turns exact on a flat spectrum, which no subspace iteration resolves", async () => {
      const a = withSpectrum(
        80,
        80,
        Array.from({ length: 80 }, (_, i) => 1 - i * 1e-4),
      );
      const { s, method, iterations } = await randomisedSvd(products, a, 10);
      expect(method).toBe("exact");
      // It is given up as soon as the rate of convergence shows.
      expect(iterations).toBe(3);
      s.forEach((value, i) => {
        expect(value).toBeCloseTo(1 - i * 1e-4, 12);
      });
    });

    test("finds matrices of low rank exactly, where the subspace has dependent columns", async () => {
      const a = withSpectrum(100, 90, [5, 3, 1]);
      const { s, method } = await randomisedSvd(products, a, 6);
      expect(method).toBe("randomised");
      [5, 3, 1, 0, 0, 0].forEach((value, i) => {
        expect(Math.abs((s[i] ?? 0) - value)).toBeLessThan(1e-12);
      });
    });

    test("is exact at once when most of the space is asked for, and repeats itself by seed", async () => {
      const a = normal(30, 30);
      expect(await randomisedSvd(products, a, 20)).toMatchObject({
        method: "exact",
        iterations: 0,
      });
      const b = withSpectrum(90, 90, decaying);
      expect(await randomisedSvd(products, b, 5, { seed: 7 })).toEqual(
        await randomisedSvd(products, b, 5, { seed: 7 }),
      );
      await expect(randomisedSvd(products, a, 31)).rejects.toThrow(RangeError);
    });
  });

  describe("least squares", () => {
    test("are the shortest solutions that the pseudo-inverse gives, for any shape and rank", async () => {
      await fc.assert(
        fc.asyncProperty(matrices(), fc.integer(), async ({ matrix: a, rank }, seed) => {
          const b = normal(a.rows, 2, seed);
          const found = await leastSquares(products, a, b);
          expect(found.rank).toBe(rank);
          const { s } = await svd(products, a);
          const condition = (s[0] ?? 0) / (s[rank - 1] ?? 1);
          // Beyond that the oracle's own threshold decides what the rank is.
          fc.pre(condition < 1e5);
          const expected = fromOracle(pseudoInverse(toOracle(a)).mmul(toOracle(b)));
          expectNear(found.x, expected, 1e-13 * condition ** 2 * frobeniusNorm(expected));
        }),
        { numRuns: 60 },
      );
    });

    test("leave a residual orthogonal to the columns", async () => {
      const [a, b] = [normal(200, 30), normal(200, 4, 5)];
      const { x, method, rank } = await leastSquares(products, a, b);
      expect([method, rank]).toEqual(["normal-equations", 30]);
      const residual = subtract(b, times(a, x));
      expect(frobeniusNorm(times(transpose(a), residual))).toBeLessThan(1e-11);
    });

    test("are as good as orthogonal ones at a condition of 1e6, whose square the Gram matrix has", async () => {
      const values = Array.from({ length: 20 }, (_, i) => 10 ** (-6 * (i / 19)));
      const a = withSpectrum(100, 20, values);
      const x = normal(20, 1, 3);
      const found = await leastSquares(products, a, times(a, x));
      expect(distance(found.x, x) / frobeniusNorm(x)).toBeLessThan(1e6 * 100 * EPSILON);
    });

    test("turn to reflections where the Gram matrix is singular", async () => {
      const values = Array.from({ length: 10 }, (_, i) => 10 ** -i);
      const a = withSpectrum(50, 10, values);
      const x = normal(10, 1, 3);
      const found = await leastSquares(products, a, times(a, x));
      expect(found).toMatchObject({ method: "orthogonal", rank: 10 });
      expect(distance(found.x, x) / frobeniusNorm(x)).toBeLessThan(1e9 * 100 * EPSILON);
    });

    test("refuse what cannot be", async () => {
      await expect(leastSquares(products, normal(3, 2), normal(4, 1))).rejects.toThrow(
        "3 equations",
      );
      const hole = matrix(1, 1, [Number.POSITIVE_INFINITY]);
      await expect(leastSquares(products, hole, matrix(1, 1, [1]))).rejects.toThrow("Infinity");
    });
  });
});
