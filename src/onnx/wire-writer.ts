// Writes the protobuf wire format. A message is a list of chunks that are put together once at the
// end, so that a model's weights are copied once or, when written piece by piece, never.

import type { Payload, UnknownFields } from "./model.ts";
import { WIRE } from "./wire-reader.ts";

const utf8 = new TextEncoder();

/** An encoded field, ready to be placed by its number. */
interface EncodedField {
  readonly number: number;
  readonly chunks: readonly Chunk[];
}

/** Bytes, or bytes that may still lie in a file. */
export type Chunk = Uint8Array | Payload;

/** The fields of one message under construction. */
export class WireWriter {
  readonly #fields: EncodedField[] = [];

  varint(field: number, value: bigint | number): void {
    this.#push(field, [concat([tag(field, WIRE.varint), varint(value)])]);
  }

  float32(field: number, value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#push(field, [concat([tag(field, WIRE.fixed32), bytes])]);
  }

  text(field: number, value: string): void {
    this.bytes(field, utf8.encode(value));
  }

  bytes(field: number, value: Chunk): void {
    this.#push(field, [concat([tag(field, WIRE.bytes), varint(value.length)]), value]);
  }

  message(field: number, message: WireWriter): void {
    const chunks = message.chunks();
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    this.#push(field, [concat([tag(field, WIRE.bytes), varint(length)]), ...chunks]);
  }

  optionalVarint(field: number, value: bigint | number | undefined): void {
    if (value !== undefined) this.varint(field, value);
  }

  optionalText(field: number, value: string | undefined): void {
    if (value !== undefined) this.text(field, value);
  }

  /** Fields kept as they were read, tags included. */
  verbatimAll(fields: UnknownFields | undefined): void {
    for (const bytes of fields ?? []) this.#verbatim(bytes);
  }

  /** All fields in ascending order of their numbers, the canonical order. */
  chunks(): readonly Chunk[] {
    return [...this.#fields].sort((a, b) => a.number - b.number).flatMap(({ chunks }) => chunks);
  }

  #verbatim(bytes: Uint8Array): void {
    let key = 0;
    let scale = 1;
    for (const byte of bytes) {
      key += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) break;
    }
    this.#push(Math.floor(key / 8), [bytes]);
  }

  #push(number: number, chunks: readonly Chunk[]): void {
    this.#fields.push({ number, chunks });
  }
}

/** Chunks as one array. */
export function concat(chunks: readonly Chunk[]): Uint8Array {
  const result = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk instanceof Uint8Array ? chunk : chunk.bytes(), at);
    at += chunk.length;
  }
  return result;
}

/** An integer as a varint; negative ones as 64-bit two's complement, ten bytes long. */
export function varint(value: bigint | number): Uint8Array {
  const bytes: number[] = [];
  if (typeof value === "number" && value >= 0 && value < 2 ** 31) {
    let rest = value;
    for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
    bytes.push(rest);
    return Uint8Array.from(bytes);
  }
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

function tag(field: number, wire: number): Uint8Array {
  return varint(field * 8 + wire);
}
