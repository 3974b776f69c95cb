import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nativeMissing } from "../../../../test/engines.ts";
import {
  createProducts,
  frobeniusNorm,
  type Matrix,
  matrix,
  type Products,
  svd,
} from "../../../engine/index.ts";
import { cp } from "./cp.ts";
import { evbmf } from "./evbmf.ts";
import { spectrumOf } from "./low-rank.ts";
import { rankByEnergy, tailOf } from "./rank.ts";
import { tucker2 } from "./tucker.ts";
import { type DenseTensor, fold, unfold } from "./unfold.ts";

let products: Products;
beforeAll(async () => {
  if (nativeMissing === null) products = await createProducts({ threads: 1 });
});
afterAll(async () => products?.close());

/** Numerical Recipes' generator, values from -0.5 to 0.5, as the fixtures of compress.md 2.22 use it. */
function lcg(seed: number, count: number): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  });
}

const random = (rows: number, columns: number, seed: number): Matrix =>
  matrix(rows, columns, lcg(seed, rows * columns));

const difference = (a: Matrix, b: Matrix): Matrix => ({
  ...a,
  data: a.data.map((value, i) => value - (b.data[i] ?? 0)),
});

describe.skipIf(nativeMissing !== null)("low rank of a matrix", () => {
  test("the error of the plain cut is the root of the squares cut off (Eckart and Young 1936)", async () => {
    const w = random(24, 17, 1);
    const spectrum = await spectrumOf(products, w);
    for (const rank of [1, 5, 16]) {
      const { left, right } = await spectrum.cut(rank);
      const error = frobeniusNorm(difference(w, await products.multiply(left, right)));
      expect(error).toBeCloseTo(Math.sqrt(tailOf(spectrum.values, rank)), 11);
    }
  });

  test("whitened, |X (W - W_r)| is the root of the squares cut off, and never above plain", async () => {
    const [w, x] = [random(12, 9, 2), random(60, 12, 3)];
    // Inputs of very different lengths.
    x.data.forEach((value, i) => {
      x.data[i] = value * 2 ** -(i % 12);
    });
    const gram = await products.gram(x);
    const [white, plain] = [await spectrumOf(products, w, { gram }), await spectrumOf(products, w)];
    const errorOf = async ({ left, right }: { left: Matrix; right: Matrix }): Promise<number> =>
      frobeniusNorm(
        await products.multiply(x, difference(w, await products.multiply(left, right))),
      );
    for (const rank of [1, 3, 6, 9]) {
      const error = await errorOf(await white.cut(rank));
      expect(error).toBeCloseTo(Math.sqrt(tailOf(white.values, rank)), 10);
      expect(error).toBeLessThanOrEqual((await errorOf(await plain.cut(rank))) + 1e-12);
    }
  });

  test("a wide matrix is cut from its other side, a large one from a random subspace", async () => {
    const wide = random(9, 30, 6);
    const { left, right } = await (await spectrumOf(products, wide)).cut(3);
    const { s } = await svd(products, wide);
    const error = frobeniusNorm(difference(wide, await products.multiply(left, right)));
    expect(error).toBeCloseTo(Math.sqrt(tailOf(s, 3)), 11);
    const large = await products.multiply(random(400, 20, 7), random(20, 500, 8));
    const some = await spectrumOf(products, large, { leading: 20 });
    expect(some.values).toHaveLength(20);
    const factors = await some.cut(20);
    const rest = difference(large, await products.multiply(factors.left, factors.right));
    expect(frobeniusNorm(rest)).toBeLessThan(1e-10 * frobeniusNorm(large));
  });

  test("inputs that never vary still give a cut, by the least damping", async () => {
    const w = random(6, 4, 4);
    const x = matrix(3, 6, new Float64Array(18).fill(1));
    const spectrum = await spectrumOf(products, w, { gram: await products.gram(x) });
    const { left, right } = await spectrum.cut(4);
    expect(frobeniusNorm(difference(w, await products.multiply(left, right)))).toBeLessThan(1e-6);
  });
});

describe.skipIf(nativeMissing !== null)("the rank by variational Bayes", () => {
  // Fixture B of compress.md 2.22.
  const y = random(20, 100, 12345);
  for (let i = 1; i <= 20; i++) {
    for (let j = 1; j <= 100; j++) {
      const at = (i - 1) * 100 + j - 1;
      for (let r = 1; r <= 3; r++) {
        y.data[at] = (y.data[at] ?? 0) + 5 * Math.sin(0.37 * i * r) * Math.cos(0.11 * j * r);
      }
    }
  }

  test("finds the three components, the noise and the threshold of the fixture", async () => {
    const { s } = await svd(products, y);
    const expected = [117.163434, 110.53093, 105.582416, 3.676532, 3.602538];
    for (const [i, value] of expected.entries()) expect(s[i]).toBeCloseTo(value, 6);
    const found = evbmf(s, 20, 100);
    expect(found.rank).toBe(3);
    expect(found.noiseVariance).toBeCloseTo(0.0826213, 7);
    expect(found.threshold).toBeCloseTo(4.5464217, 5);
    for (const [i, value] of [117.078804, 110.44122, 105.488501].entries()) {
      expect(found.shrunk[i]).toBeCloseTo(value, 5);
    }
  });

  test("where energy alone keeps more than there is", async () => {
    const { s } = await svd(products, y);
    expect([rankByEnergy(s, 0.99), rankByEnergy(s, 0.999)]).toEqual([3, 13]);
  });

  test("is zero for nothing but noise", async () => {
    const { s } = await svd(products, random(40, 60, 5));
    expect(evbmf(s, 40, 60).rank).toBe(0);
  });
});

/** Fixture C of compress.md 2.22: W[o, c, a, b]. */
function fixtureC(): DenseTensor {
  const noise = lcg(777, 8 * 6 * 9);
  const data = new Float64Array(noise.length);
  let at = 0;
  for (let o = 1; o <= 8; o++) {
    for (let c = 1; c <= 6; c++) {
      for (let a = 0; a < 3; a++) {
        for (let b = 0; b < 3; b++) {
          data[at] =
            Math.sin(0.5 * o) * Math.cos(0.3 * c) * (1 + a) * (2 - b) +
            0.5 * Math.cos(0.9 * o) * Math.sin(0.7 * c) * (a - 1) * (b + 1) +
            0.3 * (noise[at] ?? 0);
          at++;
        }
      }
    }
  }
  return { dims: [8, 6, 3, 3], data };
}

describe.skipIf(nativeMissing !== null)("Tucker-2", () => {
  test.each([
    { ranks: [2, 2] as const, start: 0.064719836, end: 0.064701047 },
    { ranks: [4, 3] as const, start: 0.054657401, end: 0.053675326 },
  ])("at ranks $ranks has the errors of the fixture", async ({ ranks, start, end }) => {
    const found = await tucker2(products, fixtureC(), ranks, { tolerance: 1e-12 });
    expect(found.startError).toBeCloseTo(start, 9);
    expect(found.error).toBeCloseTo(end, 9);
  });

  test("at full ranks is the kernel", async () => {
    const found = await tucker2(products, fixtureC(), [8, 6]);
    expect(found.error).toBeLessThanOrEqual(1e-14);
  });

  test("stops at the default tolerance close to the end", async () => {
    const found = await tucker2(products, fixtureC(), [4, 3]);
    expect(found.error).toBeLessThan(0.0537);
    expect(found.iterations).toBeLessThan(50);
  });
});

describe.skipIf(nativeMissing !== null)("CP", () => {
  test("finds the components of a tensor that is a sum of two", async () => {
    const kernel = fixtureC();
    const [rank, seed] = [2, 7];
    const clean = { ...kernel, data: kernel.data.slice() };
    const noise = lcg(777, clean.data.length);
    clean.data.forEach((value, i) => {
      clean.data[i] = value - 0.3 * (noise[i] ?? 0);
    });
    const options = { seed, tolerance: 1e-9, ridge: 1e-12, maxIterations: 300 };
    const found = await cp(products, clean, rank, options);
    expect(found.error).toBeLessThan(1e-4);
    expect(found.degeneracy).toBeLessThan(2);
  });

  test("errs less with more components, and says when terms cancel", async () => {
    const kernel = fixtureC();
    const errors: number[] = [];
    for (const rank of [1, 2, 4, 8]) {
      errors.push((await cp(products, kernel, rank, { seed: 1 })).error);
    }
    expect(errors.toSorted((a, b) => b - a)).toEqual(errors);
  });
});

test("unfolding along every mode can be undone", () => {
  const tensor = { dims: [3, 4, 2, 5], data: lcg(9, 120) };
  for (const mode of [0, 1, 2, 3]) {
    expect(fold(unfold(tensor, mode), tensor.dims, mode)).toEqual(tensor);
  }
});
