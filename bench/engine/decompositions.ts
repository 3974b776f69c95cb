// Singular values of square matrices: all of them, or an eighth of them from a random subspace.

import { createRandom } from "../../src/core/index.ts";
import {
  createProducts,
  frobeniusNorm,
  type Matrix,
  matrix,
  type Products,
  qr,
  randomisedSvd,
  svd,
  transpose,
} from "../../src/engine/index.ts";
import { cpuMs, printTable, row, spread } from "./figures.ts";

/** How often each size is measured. */
const REPEATS = new Map([
  [256, 5],
  [512, 3],
  [1024, 1],
]);

const SPECTRA = [
  { name: "falling, 1/k", value: (k: number) => 1 / (k + 1) },
  { name: "falling, 0.95^k", value: (k: number) => 0.95 ** k },
  { name: "flat: normal random", value: null },
] as const;

/** Exact and randomised, on spectra that are easy, usual and hopeless for the latter. */
export async function benchDecompositions(): Promise<void> {
  await using products = await createProducts({ threads: 2 });
  const rows: string[] = [];
  for (const [size, repeats] of REPEATS) {
    for (const { name, value } of SPECTRA) {
      const a = await sample(products, size, value);
      rows.push(await compare(products, name, { a, repeats }));
    }
  }
  console.log(
    `Square matrices, doubles, products on 2 threads; rank n/8, tolerance 1e-3; ` +
      `${[...REPEATS].map(([n, times]) => `n = ${n} ${times} times`).join(", ")}, median (middle half)\n`,
  );
  printTable(
    [
      "n",
      "spectrum",
      "all, CPU s",
      "leading n/8, CPU s",
      "by",
      "iterations",
      "largest error of a value, relative to the first",
    ],
    rows,
  );
}

async function compare(
  products: Products,
  name: string,
  { a, repeats }: { readonly a: Matrix; readonly repeats: number },
): Promise<string> {
  const rank = a.rows / 8;
  const exact = await timed(repeats, () => svd(products, a));
  const random = await timed(repeats, () => randomisedSvd(products, a, rank));
  const [all, leading] = [exact.result, random.result];
  const first = all.s[0] ?? 1;
  const error = leading.s.reduce(
    (most, value, i) => Math.max(most, Math.abs(value - (all.s[i] ?? 0)) / first),
    0,
  );
  return row(
    a.rows,
    name,
    spread(exact.times),
    spread(random.times),
    leading.method,
    leading.iterations,
    error.toExponential(1),
  );
}

async function timed<T>(
  repeats: number,
  act: () => Promise<T>,
): Promise<{ readonly result: T; readonly times: readonly number[] }> {
  const times: number[] = [];
  for (;;) {
    const used = process.cpuUsage();
    const result = await act();
    times.push(cpuMs(used) / 1000);
    if (times.length === repeats) return { result, times };
  }
}

/** A matrix with this spectrum between random orthogonal factors; normal elements without one. */
async function sample(
  products: Products,
  size: number,
  value: ((k: number) => number) | null,
): Promise<Matrix> {
  const random = createRandom(size);
  const normal = () =>
    matrix(
      size,
      size,
      Float64Array.from({ length: size * size }, () => random.normal()),
    );
  if (value === null) return normal();
  const [u, v] = [qr(normal()).q, qr(normal()).q];
  const scaled = { ...u, data: u.data.map((element, i) => element * value(i % size)) };
  const a = await products.multiply(scaled, transpose(v));
  if (!(frobeniusNorm(a) > 0)) throw new RangeError("an empty sample");
  return a;
}
