// Reads the protobuf wire format (protobuf.dev, "Encoding") from a byte source. Every length is
// checked against the enclosing message before it is believed.

import type { ByteSource } from "./byte-source.ts";
import type { Payload } from "./model.ts";
import { ModelError } from "./model-error.ts";

/** Wire types. Groups (3 and 4) are long deprecated, and ONNX never had one. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/** Messages inside messages; protobuf's own parsers stop at the same depth. */
const MAX_DEPTH = 100;

/** Bytes read at once from a source, for small fields. */
const WINDOW = 64 * 1024;

/** Payloads from this size on stay in the source until they are asked for. */
const LAZY_FROM = 1024;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** A cursor over one message. */
export class WireReader {
  readonly #source: ByteSource;
  readonly #end: number;
  readonly #depth: number;
  readonly #where: () => string;
  #at: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #wire = -1;
  #fieldStart = 0;

  constructor(
    source: ByteSource,
    range: { readonly start: number; readonly end: number },
    options: { readonly depth?: number; readonly where?: () => string } = {},
  ) {
    this.#source = source;
    this.#at = range.start;
    this.#end = range.end;
    this.#depth = options.depth ?? 0;
    this.#where = options.where ?? (() => "");
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  fail(message: string): never {
    throw new ModelError(`${message} at byte ${this.#at}`, this.#where());
  }

  /** Moves to the next field and returns its number; one of the calls below must then read it. */
  next(): number {
    this.#fieldStart = this.#at;
    const key = this.#length();
    const field = Math.floor(key / 8);
    if (field === 0) this.fail("field number 0");
    this.#wire = key % 8;
    return field;
  }

  int64(): bigint {
    this.#expect(WIRE.varint);
    return this.#int64();
  }

  /** A signed 32-bit integer or an enum; negative ones are written as 64-bit varints. */
  int32(): number {
    return Number(BigInt.asIntN(32, this.int64()));
  }

  float32(): number {
    this.#expect(WIRE.fixed32);
    return view(this.#take(4)).getFloat32(0, true);
  }

  /** A repeated integer field: one element, or a packed run of them. */
  int64s(into: bigint[]): void {
    if (this.#wire !== WIRE.bytes) into.push(this.int64());
    else this.#packed(() => into.push(this.#int64()));
  }

  int32s(into: number[]): void {
    if (this.#wire !== WIRE.bytes) into.push(this.int32());
    else this.#packed(() => into.push(Number(BigInt.asIntN(32, this.#int64()))));
  }

  float32s(into: number[]): void {
    if (this.#wire !== WIRE.bytes) into.push(this.float32());
    else this.#packed(() => into.push(view(this.#take(4)).getFloat32(0, true)));
  }

  float64s(into: number[]): void {
    const read = () => into.push(view(this.#take(8)).getFloat64(0, true));
    if (this.#wire === WIRE.fixed64) read();
    else this.#packed(read);
  }

  /** The bytes of a field, as a view where the source is memory. */
  bytes(): Uint8Array {
    return this.#take(this.#fieldLength());
  }

  /** The bytes of a field, left where they are when there are many. */
  payload(): Payload {
    const length = this.#fieldLength();
    if (length < LAZY_FROM) return payloadOf(this.#take(length).slice());
    const offset = this.#at;
    this.#at += length;
    return { length, bytes: () => this.#source.read(offset, length) };
  }

  text(): string {
    const bytes = this.bytes();
    try {
      return utf8.decode(bytes);
    } catch {
      return this.fail("text that is not UTF-8");
    }
  }

  /** A cursor over the message in a field; this one moves past it. */
  message(where: () => string): WireReader {
    if (this.#depth >= MAX_DEPTH) this.fail(`messages nested deeper than ${MAX_DEPTH}`);
    const length = this.#fieldLength();
    const start = this.#at;
    this.#at += length;
    const path = this.#where;
    const reader = new WireReader(
      this.#source,
      { start, end: this.#at },
      { depth: this.#depth + 1, where: () => joinPath(path(), where()) },
    );
    reader.#window = this.#window;
    reader.#windowStart = this.#windowStart;
    return reader;
  }

  /** Passes over a field; its bytes, tag included. */
  skip(): Uint8Array {
    switch (this.#wire) {
      case WIRE.varint:
        this.#int64();
        break;
      case WIRE.fixed64:
        this.#take(8);
        break;
      case WIRE.fixed32:
        this.#take(4);
        break;
      case WIRE.bytes: {
        const length = this.#fieldLength();
        this.#at += length;
        break;
      }
      default:
        this.fail(`wire type ${this.#wire}`);
    }
    return this.#source.read(this.#fieldStart, this.#at - this.#fieldStart).slice();
  }

  #expect(wire: number): void {
    if (this.#wire !== wire) this.fail(`wire type ${this.#wire} where ${wire} belongs`);
  }

  #packed(read: () => unknown): void {
    const length = this.#fieldLength();
    const end = this.#at + length;
    while (this.#at < end) read();
    if (this.#at !== end) this.fail("a packed list that ends inside an element");
  }

  /** An unsigned varint that must be a safe integer, as tags and lengths are. */
  #length(): number {
    let result = 0;
    for (let scale = 1; scale <= 2 ** 42; scale *= 128) {
      const byte = this.#byte();
      result += (byte & 127) * scale;
      if (byte < 128) return result;
    }
    return this.fail("a length over 2^49");
  }

  /** A signed 64-bit integer, in two's complement. */
  #int64(): bigint {
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 127) << shift;
      if (byte < 128) return BigInt(low);
    }
    let result = BigInt(low);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      result |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, result);
    }
    return this.fail("a varint of more than 10 bytes");
  }

  #fieldLength(): number {
    this.#expect(WIRE.bytes);
    const length = this.#length();
    if (length > this.#end - this.#at) {
      const rest = this.#end - this.#at;
      this.fail(`truncated: a field of ${length} bytes where ${rest} are left`);
    }
    return length;
  }

  #byte(): number {
    const index = this.#at - this.#windowStart;
    const byte = index >= 0 && this.#at < this.#end ? this.#window[index] : undefined;
    if (byte !== undefined) {
      this.#at++;
      return byte;
    }
    return this.#take(1)[0] ?? this.fail("truncated");
  }

  #take(length: number): Uint8Array {
    if (length > this.#end - this.#at) this.fail("truncated");
    const index = this.#at - this.#windowStart;
    if (index < 0 || index + length > this.#window.length) this.#fill(length);
    const start = this.#at - this.#windowStart;
    this.#at += length;
    return this.#window.subarray(start, start + length);
  }

  #fill(length: number): void {
    const wanted = Math.min(Math.max(length, WINDOW), this.#source.size - this.#at);
    this.#window = this.#source.read(this.#at, wanted);
    this.#windowStart = this.#at;
  }
}

/** Bytes in memory as a payload. */
export function payloadOf(bytes: Uint8Array): Payload {
  return { length: bytes.length, bytes: () => bytes };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function joinPath(parent: string, child: string): string {
  return parent === "" ? child : `${parent}.${child}`;
}
