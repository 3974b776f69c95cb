// Expected values: Pillow 9.4 (libjpeg-turbo 2.1, its BILINEAR resize in floating point), read back once
// and written down here.

import { expect, test } from "vitest";
import { memoryDataset } from "../dataset.ts";
import { decodeImage, loadDecoders } from "./decode-image.ts";
import { imageDataset } from "./image-dataset.ts";
import { preprocess } from "./preprocess.ts";
import { resize } from "./resize.ts";
import { resizedImages } from "./resized.ts";

const bytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));
const decoders = await loadDecoders();

const RGB_PNG = bytes(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAIAAAA2iEnWAAAAHklEQVR4nGM8+s//1SFmhuQbGz/LTmYy2PZNd0kZAHSDCndroz56AAAAAElFTkSuQmCC",
);
const RGB_VALUES = [
  197, 254, 79, 175, 192, 82, 99, 216, 177, 243, 29, 147, 147, 142, 167, 32, 193, 9,
];
const GREY_PNG = bytes(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADCAAAAACcgYFdAAAAEUlEQVR4nGPceYxR4T/DqS8AEm4EXwwTayQAAAAASUVORK5CYII=",
);
const PALETTE_PNG = bytes(
  "iVBORw0KGgoAAAANSUhEUgAAAAIAAAADAgMAAADEhDYSAAAADFBMVEWU64CvwFIgwQnDVp0St+dmAAAADklEQVR4nGMIYDBgeAAAAwYBYfjqgr8AAAAASUVORK5CYII=",
);
const PROGRESSIVE_JPEG = bytes(
  "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCj/wgARCAAQABADASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAABQAG/8QAFQEBAQAAAAAAAAAAAAAAAAAABAX/2gAMAwEAAhADEAAAAcC1NApf/8QAFRABAQAAAAAAAAAAAAAAAAAAAwD/2gAIAQEAAQUCI4jiOI7/xAAVEQEBAAAAAAAAAAAAAAAAAAADAP/aAAgBAwEBPwEiv//EABURAQEAAAAAAAAAAAAAAAAAAAMA/9oACAECAQE/AUS//8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQAGPwIf/8QAFhAAAwAAAAAAAAAAAAAAAAAAACEx/9oACAEBAAE/IZomiaJo/9oADAMBAAIAAwAAABB//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAwEBPxB//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxB//8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQABPxAQAR//2Q==",
);

const rgb = (data: ArrayLike<number>): number[] => Array.from(data).filter((_, at) => at % 4 !== 3);

test("PNG pixels are exact: RGB, grey and palette", () => {
  expect(rgb(decodeImage("a.png", RGB_PNG, decoders).data)).toEqual(RGB_VALUES);
  const grey = rgb(decodeImage("g.png", GREY_PNG, decoders).data);
  expect(grey.filter((_, at) => at % 3 === 0)).toEqual([185, 127, 32, 31, 202, 244]);
  expect(rgb(decodeImage("p.png", PALETTE_PNG, decoders).data)).toEqual([
    175, 192, 82, 175, 192, 82, 148, 235, 128, 195, 86, 157, 195, 86, 157, 32, 193, 9,
  ]);
});

test("a progressive JPEG with subsampled colour has the pixels of libjpeg-turbo", () => {
  const { width, height, data } = decodeImage("a.jpg", PROGRESSIVE_JPEG, decoders);
  expect([width, height]).toEqual([16, 16]);
  expect(rgb(data).reduce((sum, value) => sum + value, 0)).toBe(53_718);
  const every5th = [0, 5, 10, 15].flatMap((y) =>
    [0, 5, 10, 15].flatMap((x) => rgb(data).slice(3 * (16 * y + x), 3 * (16 * y + x) + 3)),
  );
  expect(every5th.slice(0, 12)).toEqual([8, 0, 0, 42, 20, 9, 87, 39, 16, 119, 60, 30]);
  expect(every5th.slice(-3)).toEqual([232, 123, 66]);
});

test("resizing down, up and both equals Pillow's BILINEAR", () => {
  const data = Float32Array.of(
    172,
    47,
    117,
    192,
    67,
    251,
    195,
    103,
    9,
    211,
    21,
    242,
    36,
    87,
    70,
    216,
    88,
    140,
    58,
    193,
    230,
    39,
    87,
    174,
    88,
    81,
    165,
    25,
    77,
    72,
    9,
    148,
    115,
    208,
    243,
  );
  const planes = { channels: 1, width: 5, height: 7, data };
  const close = (got: Float32Array, expected: readonly number[]) => {
    expect(got.length).toBe(expected.length);
    expected.forEach((value, at) => {
      expect(got[at]).toBeCloseTo(value, 2);
    });
  };
  close(
    resize(planes, 3, 4).data,
    [
      164.83, 110.254, 120.163, 150.691, 99.791, 102.914, 145.554, 94.142, 117.594, 93.116, 108.46,
      157.15,
    ],
  );
  close(
    resize(planes, 5, 2).data,
    [168.465, 147.744, 93.698, 86.744, 133.279, 121.837, 122.047, 79.186, 126.837, 131.442],
  );
  close(
    resize(planes, 8, 9).data.slice(0, 16),
    [
      172.0, 117.312, 51.375, 95.125, 140.438, 187.312, 121.688, 67.0, 224.667, 190.104, 143.292,
      119.542, 95.896, 72.354, 122.312, 163.0,
    ],
  );
  expect(resize(planes, 5, 7)).toBe(planes);
});

test("preprocessing is what was declared: layout, channel order, scale, mean and deviation", () => {
  const pixels = decodeImage("a.png", RGB_PNG, decoders);
  const plain = preprocess(pixels, { scale: 1 });
  expect(plain.shape).toEqual([3, 3, 2]);
  expect([...plain.data.slice(0, 6)]).toEqual([197, 175, 99, 243, 147, 32]);
  const last = preprocess(pixels, { scale: 1, layout: "HWC" });
  expect(last.shape).toEqual([3, 2, 3]);
  expect([...last.data]).toEqual(RGB_VALUES);
  const swapped = preprocess(pixels, { scale: 1, layout: "HWC", channels: "BGR" });
  expect([...swapped.data.slice(0, 3)]).toEqual([79, 254, 197]);
  const how = { mean: [0.5, 0.25, 0], deviation: [0.5, 1, 2], layout: "HWC" } as const;
  const [r = 0, g = 0, b = 0] = preprocess(pixels, how).data;
  expect(r).toBeCloseTo((197 / 255 - 0.5) / 0.5, 5);
  expect(g).toBeCloseTo(254 / 255 - 0.25, 5);
  expect(b).toBeCloseTo(79 / 255 / 2, 5);
});

test("grey is the luma of Pillow, to its rounding", () => {
  const { shape, data } = preprocess(decodeImage("a.png", RGB_PNG, decoders), {
    scale: 1,
    channels: "grey",
  });
  expect(shape).toEqual([1, 3, 2]);
  [217, 174, 177, 106, 146, 124].forEach((value, at) => {
    expect(Math.abs((data[at] ?? 0) - value)).toBeLessThanOrEqual(0.51);
  });
});

test("damaged and lying images are told apart from whole ones", () => {
  const open = (image: Uint8Array) => () => decodeImage("x.jpg", image, decoders);
  expect(open(PROGRESSIVE_JPEG.subarray(0, 300))).toThrow("x.jpg: cannot be decoded");
  expect(open(RGB_PNG.subarray(0, 60))).toThrow("x.jpg: cannot be decoded");
  expect(open(new TextEncoder().encode("<html>not found</html>"))).toThrow("neither JPEG nor PNG");
  const bomb = RGB_PNG.slice();
  new DataView(bomb.buffer).setUint32(16, 60_000);
  new DataView(bomb.buffer).setUint32(20, 60_000);
  expect(open(bomb)).toThrow("60000 x 60000 pixels, more than 100 million");
  const wide = PROGRESSIVE_JPEG.slice();
  const frame = wide.findIndex((byte, at) => byte === 0xff && wide[at + 1] === 0xc2);
  new DataView(wide.buffer).setUint16(frame + 5, 65_000);
  new DataView(wide.buffer).setUint16(frame + 7, 65_000);
  expect(open(wide)).toThrow("65000 x 65000 pixels");
  expect(open(PROGRESSIVE_JPEG.subarray(0, 20))).toThrow("without a size");
});

test("images of different sizes stack only when a size is declared", async () => {
  const file = (name: string, image: Uint8Array, className: string) => ({
    file: name,
    className,
    read: async () => image,
  });
  const files = [file("a/1.png", RGB_PNG, "a"), file("b/2.jpg", PROGRESSIVE_JPEG, "b")];
  const raw = await imageDataset("mixed", files, { decoders });
  await expect(raw.batch([0, 1])).rejects.toThrow("column image: row 1 is float32[3, 16, 16]");
  const sized = await imageDataset("mixed", files, {
    decoders,
    preprocessing: { width: 8, height: 4 },
  });
  expect((await sized.batch([1, 0])).get("image")?.dims).toEqual([2, 3, 4, 8]);
  expect((await sized.batch([1, 0])).get("label")?.data).toEqual(BigInt64Array.of(1n, 0n));
  await expect(imageDataset("m", files, { decoders, classes: ["a", "c"] })).rejects.toThrow(
    "b/2.jpg: class b is not known",
  );
  await expect(imageDataset("m", [], { decoders })).rejects.toThrow("no JPEG or PNG images");
});

test("an image is decoded once, however often its row is asked for", async () => {
  let reads = 0;
  const read = async () => {
    reads++;
    return RGB_PNG;
  };
  const files = ["a", "b"].map((className) => ({ file: `${className}.png`, className, read }));
  const dataset = await imageDataset("two", files, { decoders });
  // The first is read to know its size.
  const [once, again] = [await dataset.batch([0, 1, 0]), await dataset.batch([1, 0, 1])];
  expect(reads).toBeLessThanOrEqual(4);
  expect(again.get("image")?.data).toEqual(once.get("image")?.data);
  await dataset.batch([0, 1]);
  expect(reads).toBeLessThanOrEqual(4);
});

test("pictures that are numbers are resized as decoded ones are, sample by sample", async () => {
  const pixels = Float32Array.from({ length: 3 * 2 * 6 * 4 }, (_, at) => Math.sin(at));
  const labels = BigInt64Array.from([4n, 5n, 6n]);
  const all = memoryDataset("waves", [
    { name: "image", dataType: "float32", shape: [2, 6, 4], data: pixels },
    { name: "label", dataType: "int64", shape: [], data: labels },
  ]);
  const small = resizedImages(all, "image", { width: 3, height: 2 });
  expect(small.columns[0]).toEqual({ name: "image", dataType: "float32", shape: [2, 2, 3] });
  const batch = await small.batch([2, 0]);
  const image = batch.get("image");
  expect(image?.dims).toEqual([2, 2, 2, 3]);
  const alone = (row: number): Float32Array => {
    const data = pixels.slice(row * 48, (row + 1) * 48);
    return resize({ channels: 2, width: 4, height: 6, data }, 3, 2).data;
  };
  expect(image?.data).toEqual(Float32Array.from([...alone(2), ...alone(0)]));
  expect(batch.get("label")?.data).toEqual(BigInt64Array.from([6n, 4n]));
  expect(() => resizedImages(all, "label", { width: 3, height: 2 })).toThrow(RangeError);
});
