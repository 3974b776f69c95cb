import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { byteLength, elementCount, elementsOf } from "./elements.ts";
import type { DataType, Tensor, TensorData } from "./model.ts";
import { decodeFloat8, decodeHalf, encodeBfloat16, encodeFloat16 } from "./small-floats.ts";
import { payloadOf } from "./wire-reader.ts";

const tensor = (dataType: DataType, dims: readonly bigint[], data: TensorData): Tensor => ({
  name: "w",
  dims,
  dataType,
  data,
  metadata: [],
});
const raw = (...bytes: number[]): TensorData => ({
  kind: "raw",
  payload: payloadOf(Uint8Array.from(bytes)),
});

describe("elements", () => {
  test("of raw data are little-endian, also where they are not aligned", () => {
    const bytes = Uint8Array.of(9, 0, 0, 128, 63, 0, 0, 0, 192).subarray(1);
    const of = tensor("float32", [2n], { kind: "raw", payload: payloadOf(bytes) });
    expect([...elementsOf(of)]).toEqual([1, -2]);
  });
  test("of four bits come two from a byte, the low nibble first", () => {
    expect([...elementsOf(tensor("int4", [3n], raw(0xf1, 0x08)))]).toEqual([1, -1, -8]);
    expect([...elementsOf(tensor("uint4", [3n], raw(0xf1, 0x08)))]).toEqual([1, 15, 8]);
    expect([...elementsOf(tensor("float4e2m1", [2n], raw(0xf2)))]).toEqual([1, -6]);
  });
  test("of the int32 field are narrowed to their type", () => {
    const data = { kind: "int32", values: Int32Array.of(0x3c00, 0xc000) } as const;
    expect([...elementsOf(tensor("float16", [2n], data))]).toEqual([1, -2]);
    expect([...elementsOf(tensor("uint16", [2n], data))]).toEqual([0x3c00, 0xc000]);
  });
  test("that are missing or too many are refused", () => {
    expect(() => elementsOf(tensor("float32", [2n], raw(0, 0, 0, 0)))).toThrow(/4 bytes.*say 8/);
    const three = { kind: "float32", values: Float32Array.of(1, 2, 3) } as const;
    expect(() => elementsOf(tensor("float32", [2n], three))).toThrow(/3 elements.*say 2/);
    expect(() => elementsOf(tensor("float32", [2n], { kind: "none" }))).toThrow(/0 bytes/);
  });
  test("by the billion are counted, never allocated", () => {
    expect(byteLength(tensor("float32", [1n << 40n], raw()))).toBe(2 ** 42);
    expect(() => elementsOf(tensor("float32", [1n << 40n], raw()))).toThrow(/0 bytes/);
    expect(() => elementCount(tensor("float32", [1n << 40n, 1n << 40n], raw()))).toThrow(/2\^53/);
    expect(() => elementCount(tensor("float32", [-1n], raw()))).toThrow(/dimension of -1/);
  });
});

describe("small floats", () => {
  test("float16 agrees with the platform's own, for every bit pattern", () => {
    const bits = Uint16Array.from({ length: 65_536 }, (_, index) => index);
    const view = new DataView(new ArrayBuffer(2));
    const theirs = Float32Array.from(bits, (value) => {
      view.setUint16(0, value);
      return view.getFloat16(0);
    });
    expect(decodeHalf(bits, "float16")).toEqual(theirs);
  });
  test("float16 is rounded as the platform rounds it", () => {
    const view = new DataView(new ArrayBuffer(2));
    fc.assert(
      fc.property(fc.float({ noNaN: true }), (value) => {
        view.setFloat16(0, value);
        expect(encodeFloat16(value)).toBe(view.getUint16(0));
      }),
      { numRuns: 20_000 },
    );
  });
  test("bfloat16 is the upper half of a float32, rounded to nearest even", () => {
    expect(encodeBfloat16(1)).toBe(0x3f80);
    // 1 + 2^-8 lies halfway between 0x3f80 and 0x3f81; 1 + 3 x 2^-8 between 0x3f81 and 0x3f82.
    expect(encodeBfloat16(1 + 2 ** -8)).toBe(0x3f80);
    expect(encodeBfloat16(1 + 3 * 2 ** -8)).toBe(0x3f82);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0x7f7f }), (bits) => {
        const [value = 0] = decodeHalf(Uint16Array.of(bits), "bfloat16");
        expect(encodeBfloat16(value)).toBe(bits);
      }),
    );
  });
  // Largest finite values: ONNX documentation, "Float stored in 8 bits".
  test.each([
    ["float8e4m3fn", 0x7e, 448],
    ["float8e4m3fnuz", 0x7f, 240],
    ["float8e5m2", 0x7b, 57_344],
    ["float8e5m2fnuz", 0x7f, 57_344],
    ["float8e8m0", 0xfe, 2 ** 127],
  ] as const)("%s reaches %d as its largest", (format, byte, value) => {
    const all = decodeFloat8(
      Uint8Array.from({ length: 256 }, (_, index) => index),
      format,
    );
    expect(all[byte]).toBe(value);
    expect(Math.max(...all.filter(Number.isFinite))).toBe(value);
  });
});

test("elements that lie unaligned in a Node Buffer are copied, not viewed", () => {
  const file = Buffer.concat([Buffer.from([0]), Buffer.from(Float32Array.of(1.5, -2).buffer)]);
  const bytes = file.subarray(1);
  const tensor: Tensor = {
    dims: [2n],
    dataType: "float32",
    data: { kind: "raw", payload: { length: 8, bytes: () => bytes } },
    metadata: [],
  };
  expect(elementsOf(tensor)).toEqual(Float32Array.of(1.5, -2));
});
