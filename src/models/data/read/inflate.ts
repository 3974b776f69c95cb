// Decompression with a bound, so that a small file cannot fill the memory (a zip bomb).

import { reasonOf } from "../../../core/index.ts";
import { dataFault, MAX_FILE_BYTES } from "./fault.ts";

/** RFC 1952: the first two bytes of every gzip file. */
const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;

/** The content of a gzip file, or the bytes as they are when they are not compressed. */
export async function unzipped(file: string, bytes: Uint8Array): Promise<Uint8Array> {
  if (!isGzip(bytes)) return bytes;
  return inflate(file, bytes, { format: "gzip", limit: MAX_FILE_BYTES });
}

interface InflateOptions {
  readonly format: "gzip" | "deflate-raw";
  /** Bytes after which decompression stops with an error. */
  readonly limit: number;
}

/** Decompressed bytes. Throws UserError for damaged data and beyond the limit. */
export async function inflate(
  file: string,
  bytes: Uint8Array,
  { format, limit }: InflateOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream(format));
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      length += value.length;
      if (length > limit) break;
      chunks.push(value);
    }
  } catch (cause) {
    const hint = "The file is damaged or was not copied whole; get it again.";
    throw dataFault(file, null, `compressed data cannot be read (${reasonOf(cause)})`, hint, cause);
  } finally {
    // Nobody reads on; a fault of the rest is of no interest.
    await reader.cancel().catch(() => undefined);
  }
  if (length > limit) {
    const hint = "It is larger than it says it is, or too large for memory.";
    throw dataFault(file, null, `decompresses to more than ${limit} bytes`, hint);
  }
  return joined(chunks, length);
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
