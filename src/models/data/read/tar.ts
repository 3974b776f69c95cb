// Tar archives (POSIX.1-2001 ustar with pax headers, GNU long names): a list of the files in one. Nothing
// is ever unpacked to disk, so a name that leads elsewhere is only a name; it is refused all the same.

import { dataFault } from "./fault.ts";

/** A file inside an archive. */
export interface TarEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const BLOCK = 512;
const HINT = "The archive is damaged or was not copied whole; get it again.";

/** The regular files of an archive, in its order. Throws UserError for damaged archives. */
export function readTar(file: string, archive: Uint8Array): TarEntry[] {
  const entries: TarEntry[] = [];
  let longName: string | null = null;
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const { name, size, type } = parseHeader(file, header, at);
    const start = at + BLOCK;
    if (start + size > archive.length) {
      const left = archive.length - start;
      throw dataFault(file, `entry ${name}`, `${size} bytes announced, ${left} there`, HINT);
    }
    const bytes = archive.subarray(start, start + size);
    if (type === "L") longName = textOf(bytes);
    else if (type === "x") longName = paxPath(bytes) ?? longName;
    else {
      if (type === "0") entries.push({ name: safeName(file, longName ?? name), bytes });
      longName = null;
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return entries;
}

interface TarHeader {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

/** Fields at their offsets in POSIX.1-2001, "ustar Interchange Format". */
function parseHeader(file: string, header: Uint8Array, at: number): TarHeader {
  const place = `byte ${at}`;
  let sum = 0;
  header.forEach((byte, index) => {
    sum += index >= 148 && index < 156 ? 32 : byte;
  });
  if (octal(header.subarray(148, 156)) !== sum) {
    throw dataFault(file, place, "no tar header there (its checksum is wrong)", HINT);
  }
  const size = octal(header.subarray(124, 136));
  if (!Number.isSafeInteger(size)) throw dataFault(file, place, "an entry without a size", HINT);
  const isUstar = textOf(header.subarray(257, 262)) === "ustar";
  const prefix = isUstar ? textOf(header.subarray(345, 500)) : "";
  const name = textOf(header.subarray(0, 100));
  const flag = String.fromCharCode(header[156] ?? 0);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    size,
    type: flag === "\0" || flag === "7" ? "0" : flag,
  };
}

/** NaN for a field that is no octal number; base-256 sizes (over 8 GiB) are refused with that. */
function octal(field: Uint8Array): number {
  const text = textOf(field).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

/** Text up to the first zero byte. */
function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end === -1 ? bytes : bytes.subarray(0, end));
}

/** `path` of a pax header, whose records are "LENGTH KEY=VALUE\n". */
function paxPath(bytes: Uint8Array): string | null {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(new TextDecoder().decode(bytes))?.[1] ?? null;
}

function safeName(file: string, name: string): string {
  const parts = name.split("/").filter((part) => part !== "." && part !== "");
  if (name.startsWith("/") || name.includes("\\") || parts.includes("..")) {
    throw dataFault(file, `entry ${name}`, "its name leads out of the archive", "Do not trust it.");
  }
  return parts.join("/");
}
