import { describe, expect, test } from "vitest";
import { smallPictures, smallVisionNet } from "../../test/small-vision.ts";
import type { TensorValue } from "../engine/index.ts";
import { memoryOf, refuseTooLarge } from "./slim-memory.ts";

const whole = smallVisionNet();
const images = (rows: number): TensorValue => ({
  ...{ dataType: "float32", dims: [rows, 1, 12, 12] },
  data: new Float32Array(rows * 144),
});

/** Two maps of 32 channels of 12 x 12 floats: what one convolution reads and what it writes. */
const MAPS = 2 * 32 * 144 * 4;
/** Three kernels with their biases, the factor, the last layer. */
const WEIGHTS = 4 * (32 * 9 + 32 + 2 * (32 * 32 * 9 + 32) + 1 + 9 * 32 * 4);

describe("what a search holds in memory", () => {
  test("are copies of the weights, and the values of one run", () => {
    const one = memoryOf(whole, { image: images(1) });
    expect(one.weights).toBe(4 * WEIGHTS);
    expect(one.run).toBeGreaterThanOrEqual(MAPS);
    expect(one.run).toBeLessThanOrEqual(MAPS + 144 * 4);
    expect(memoryOf(whole, { image: images(8) }).run).toBe(8 * (one.run ?? 0));
  });

  test("is refused where it is not free, with what it is for and the way out", async () => {
    const rows = Array.from({ length: 100 }, (_, row) => row);
    const samples = {
      ...{ dataset: smallPictures(100, null), columns: new Map([["image", "image"]]) },
      ...{ fixed: {}, batch: 64, outputs: ["scores"] },
    };
    const needed = 4 * WEIGHTS + 64 * (memoryOf(whole, { image: images(1) }).run ?? 0);
    await expect(refuseTooLarge({ whole }, { samples }, rows, needed)).resolves.toBeUndefined();
    await expect(refuseTooLarge({ whole }, { samples }, rows, needed - 1)).rejects.toMatchObject({
      message: expect.stringMatching(
        /needs about 2\.68 MB .*4 copies.*a run of 64\), and 2\.68 MB/,
      ),
      hint: expect.stringContaining("smaller --batch"),
    });
  });
});
