// Floating-point formats below 32 bits, to and from float32.

/** The 8-bit formats of ONNX: Micikevicius et al. 2022 (FN), Noune et al. 2022 (FNUZ), OCP MX (E8M0). */
export type Float8Format =
  | "float8e4m3fn"
  | "float8e4m3fnuz"
  | "float8e5m2"
  | "float8e5m2fnuz"
  | "float8e8m0";

/** IEEE 754 binary16 or bfloat16 to float32; exact. */
export function decodeHalf(bits: Uint16Array, format: "float16" | "bfloat16"): Float32Array {
  if (format === "bfloat16") {
    // The upper half of a float32.
    return new Float32Array(Uint32Array.from(bits, (half) => half << 16).buffer);
  }
  return Float32Array.from(bits, decodeFloat16);
}

function decodeFloat16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));

/** float32 to the nearest IEEE 754 binary16, ties to even; out of range becomes infinite. */
export function encodeFloat16(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const size = bits & 0x7fffffff;
  if (size > 0x7f800000) return sign | 0x7e00;
  // 65520 and above round to infinity.
  if (size >= 0x477ff000) return sign | 0x7c00;
  if (size >= 0x38800000) return sign | (roundShift(size, 13) - (112 << 10));
  // Subnormal: the implicit one becomes explicit, shifted by how far the exponent falls short.
  const shift = 126 - (size >>> 23);
  return shift > 24 ? sign : sign | roundShift((size & 0x7fffff) | 0x800000, shift);
}

/** float32 to the nearest bfloat16, ties to even. */
export function encodeBfloat16(value: number): number {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return roundShift(bits, 16) & 0xffff;
}

/** value / 2^shift, rounded to the nearest integer, ties to even. */
function roundShift(value: number, shift: number): number {
  const down = Math.floor(value / 2 ** shift);
  const rest = value - down * 2 ** shift;
  const half = 2 ** (shift - 1);
  return rest > half || (rest === half && down % 2 === 1) ? down + 1 : down;
}

/** 8-bit floats to float32; exact. */
export function decodeFloat8(bytes: Uint8Array, format: Float8Format): Float32Array {
  const table = float8Table(format);
  return Float32Array.from(bytes, (byte) => table[byte] ?? Number.NaN);
}

function float8Table(format: Float8Format): readonly number[] {
  return Array.from({ length: 256 }, (_, byte) => decodeByte(byte, format));
}

function decodeByte(byte: number, format: Float8Format): number {
  switch (format) {
    case "float8e8m0":
      return byte === 255 ? Number.NaN : 2 ** (byte - 127);
    case "float8e4m3fn":
      return (byte & 127) === 127 ? Number.NaN : scale(byte, 3, 7);
    case "float8e4m3fnuz":
      return byte === 0x80 ? Number.NaN : scale(byte, 3, 8);
    case "float8e5m2fnuz":
      return byte === 0x80 ? Number.NaN : scale(byte, 2, 16);
    case "float8e5m2": {
      if ((byte & 127) > 0x7c) return Number.NaN;
      if ((byte & 127) === 0x7c) return byte & 128 ? -Infinity : Infinity;
      return scale(byte, 2, 15);
    }
    default:
      return format satisfies never;
  }
}

/** Sign, exponent and fraction of a byte with so many fraction bits and such a bias. */
function scale(byte: number, fractionBits: number, bias: number): number {
  const sign = byte & 128 ? -1 : 1;
  const exponent = (byte & 127) >> fractionBits;
  const fraction = (byte & (2 ** fractionBits - 1)) / 2 ** fractionBits;
  return exponent === 0
    ? sign * fraction * 2 ** (1 - bias)
    : sign * (1 + fraction) * 2 ** (exponent - bias);
}
