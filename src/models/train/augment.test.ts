import fc from "fast-check";
import { expect, test } from "vitest";
import { createRandom } from "../../core/index.ts";
import type { TensorValue } from "../../engine/index.ts";
import { augmentImages } from "./augment.ts";

const dims = [2, 2, 3, 4];
const image: TensorValue = {
  dataType: "float32",
  dims,
  data: Float32Array.from({ length: 48 }, (_, at) => at + 1),
};
const labels: TensorValue = { dataType: "int64", dims: [2], data: BigInt64Array.of(0n, 1n) };

test("the same chance gives the same images; labels and the batch itself stay as they are", () => {
  const augment = augmentImages({ flip: true, flipVertical: true, shift: 1 });
  const once = augment({ image, labels }, createRandom(3));
  expect(augment({ image, labels }, createRandom(3))).toEqual(once);
  expect(once["labels"]).toBe(labels);
  expect([...(image.data as Float32Array)][0]).toBe(1);
  expect(once["image"]?.dims).toEqual(dims);
});

test("mirroring moves every pixel once; all channels of an image go together", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      const augment = augmentImages({ flip: true, flipVertical: true });
      const { data } = augment({ image }, createRandom(seed))["image"] as { data: Float32Array };
      expect([...data].sort((a, b) => a - b)).toEqual([...(image.data as Float32Array)]);
      for (const start of [0, 24]) {
        const [first, second] = [data.slice(start, start + 12), data.slice(start + 12, start + 24)];
        expect([...second]).toEqual([...first].map((value) => value + 12));
      }
    }),
    { numRuns: 20 },
  );
});

test("moving leaves zeros behind and loses what goes out", () => {
  const augment = augmentImages({ shift: 2 });
  const { data } = augment({ image }, createRandom(5))["image"] as { data: Float32Array };
  const kept = [...data].filter((value) => value !== 0);
  expect(new Set(kept).size).toBe(kept.length);
  expect(kept.length).toBeLessThan(48);
});

test("turning gives the four quarter turns alike, with mirrors all eight ways a square lies on itself", () => {
  const square: TensorValue = {
    dataType: "float32",
    dims: [400, 1, 3, 3],
    data: Float32Array.from({ length: 3600 }, (_, at) => at % 9),
  };
  const found = (how: Parameters<typeof augmentImages>[0]) => {
    const { data } = augmentImages(how)({ square }, createRandom(8))["square"] as {
      data: Float32Array;
    };
    const counts = new Map<string, number>();
    for (let at = 0; at < data.length; at += 9) {
      const key = [...data.subarray(at, at + 9)].join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts;
  };
  const turns = found({ turn: true });
  expect([...turns.keys()].sort()).toEqual(["012345678", "258147036", "630741852", "876543210"]);
  // 100 of each are expected, with a standard deviation of 9.
  for (const count of turns.values()) expect(Math.abs(count - 100)).toBeLessThan(45);
  expect(found({ turn: true, flip: true }).size).toBe(8);
  expect(() => augmentImages({ turn: true })({ image }, createRandom(1))).toThrow(
    "images of 3 x 4 cannot be turned",
  );
});
