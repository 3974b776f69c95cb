// Where a model's bytes come from: memory, or a file that is read piece by piece.

/** Random access to bytes. Reads are synchronous, since a parser asks for thousands of small ones. */
export interface ByteSource {
  readonly size: number;
  /** Exactly `length` bytes, as a view where that is possible. Throws RangeError past the end. */
  read(offset: number, length: number): Uint8Array;
}

/** Bytes in memory; reading gives views, never copies. */
export function memorySource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) {
        throw new RangeError(`bytes ${offset} to ${offset + length} of ${bytes.length}`);
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}
