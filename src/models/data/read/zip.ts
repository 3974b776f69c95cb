// Zip archives (PKWARE APPNOTE 6.3): stored and deflated entries, read in memory. What an archive says of
// itself is not believed: sizes are checked while decompressing, checksums after.

import { dataFault, MAX_FILE_BYTES } from "./fault.ts";
import { inflate } from "./inflate.ts";

/** A file inside an archive, decompressed when read. */
export interface ZipEntry {
  readonly name: string;
  /** Size when decompressed. */
  readonly size: number;
  /** Throws UserError for damaged entries and ones larger than they say. */
  read(): Promise<Uint8Array>;
}

const HINT = "The archive is damaged or was not copied whole; get it again.";

/** Most files of one archive. */
const MAX_ENTRIES = 5_000_000;

/** The regular files of an archive. Throws UserError for damaged, encrypted and split archives. */
export function readZip(file: string, archive: Uint8Array): ZipEntry[] {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const { count, start } = directoryOf(file, view);
  const entries: ZipEntry[] = [];
  let at = start;
  for (let index = 0; index < count; index++) {
    if (at + 46 > archive.length || view.getUint32(at, true) !== 0x02014b50) {
      throw dataFault(file, `directory entry ${index}`, "not there", HINT);
    }
    const nameLength = view.getUint16(at + 28, true);
    const name = new TextDecoder().decode(archive.subarray(at + 46, at + 46 + nameLength));
    const entry = entryAt(file, archive, view, at, name);
    if (!name.endsWith("/")) entries.push(entry);
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

/** The end-of-central-directory record, at most 64 KiB of comment from the end (APPNOTE 4.3.16). */
function directoryOf(file: string, view: DataView): { count: number; start: number } {
  const lowest = Math.max(0, view.byteLength - 22 - 0xffff);
  for (let at = view.byteLength - 22; at >= lowest; at--) {
    if (view.getUint32(at, true) !== 0x06054b50) continue;
    const count = view.getUint16(at + 10, true);
    const start = view.getUint32(at + 16, true);
    if (count === 0xffff || start === 0xffffffff) return directory64(file, view, at);
    return { count, start };
  }
  throw dataFault(file, null, "not a zip archive, or its end is missing", HINT);
}

/** Zip64: the locator lies right before the ordinary record (APPNOTE 4.3.14 and 4.3.15). */
function directory64(file: string, view: DataView, end: number): { count: number; start: number } {
  const locator = end - 20;
  if (locator >= 0 && view.getUint32(locator, true) === 0x07064b50) {
    const at = Number(view.getBigUint64(locator + 8, true));
    if (at + 56 <= view.byteLength && view.getUint32(at, true) === 0x06064b50) {
      const count = Number(view.getBigUint64(at + 32, true));
      const start = Number(view.getBigUint64(at + 48, true));
      if (count <= MAX_ENTRIES) return { count, start };
    }
  }
  throw dataFault(file, null, "its directory cannot be found", HINT);
}

function entryAt(
  file: string,
  archive: Uint8Array,
  view: DataView,
  at: number,
  name: string,
): ZipEntry {
  const place = `entry ${name}`;
  if (name.startsWith("/") || name.includes("\\") || name.split("/").includes("..")) {
    throw dataFault(file, place, "its name leads out of the archive", "Do not trust it.");
  }
  if ((view.getUint16(at + 8, true) & 1) !== 0) {
    throw dataFault(file, place, "encrypted", "Decrypt the archive first.");
  }
  const method = view.getUint16(at + 10, true);
  const crc = view.getUint32(at + 16, true);
  const packed = view.getUint32(at + 20, true);
  const size = view.getUint32(at + 24, true);
  const header = view.getUint32(at + 42, true);
  return {
    name,
    size,
    async read() {
      if (header + 30 > archive.length || view.getUint32(header, true) !== 0x04034b50) {
        throw dataFault(file, place, "not where the directory says", HINT);
      }
      const start =
        header + 30 + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
      if (start + packed > archive.length || size > MAX_FILE_BYTES) {
        throw dataFault(file, place, "larger than the archive or than 2 GiB", HINT);
      }
      const raw = archive.subarray(start, start + packed);
      const bytes = await unpacked(`${file}, ${place}`, raw, method, size);
      if (bytes.length !== size || crc32(bytes) !== crc) {
        throw dataFault(file, place, "its checksum or size is wrong", HINT);
      }
      return bytes;
    },
  };
}

async function unpacked(
  place: string,
  raw: Uint8Array,
  method: number,
  size: number,
): Promise<Uint8Array> {
  if (method === 0) return raw;
  if (method === 8) return inflate(place, raw, { format: "deflate-raw", limit: size });
  throw dataFault(place, null, `compression method ${method}`, "Pack it with deflate.");
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as zip and PNG have it (ISO 3309). */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] as number);
  return (crc ^ 0xffffffff) >>> 0;
}
