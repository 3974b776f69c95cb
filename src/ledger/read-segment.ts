// Reading a segment back, line by line, whatever happened to the file: a torn last line is what a
// crash leaves and is named, a malformed line in the middle is named and passed over. Memory is
// bounded by the longest line, not by the file.

import { createReadStream } from "node:fs";
import { UserError } from "../core/index.ts";
import { ledgerFault } from "./folder.ts";

/** One line of a segment. Lines count from 1. */
export type SegmentLine =
  | { readonly kind: "record"; readonly line: number; readonly record: object }
  /** The last line, cut off in the middle by a crash. */
  | { readonly kind: "torn"; readonly line: number; readonly bytes: number }
  | { readonly kind: "malformed"; readonly line: number; readonly reason: string };

/** A record is a few hundred bytes; a longer line than this is damage, not data. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;

const NEWLINE = 0x0a;

/** The lines of a segment, in order. Throws UserError when the file cannot be read. */
export async function* readSegment(path: string): AsyncGenerator<SegmentLine, void, undefined> {
  let line = 0;
  try {
    for await (const { bytes, ended } of rawLines(path)) {
      line += 1;
      if (ended && bytes.length === 0) continue;
      yield parseLine(bytes, { line, ended });
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw ledgerFault(path, error);
  }
}

/** Records alone; `onDamage` hears of every line that is not one. */
export async function* readRecords(
  path: string,
  onDamage: (damage: Exclude<SegmentLine, { kind: "record" }>) => void,
): AsyncGenerator<object, void, undefined> {
  for await (const entry of readSegment(path)) {
    if (entry.kind === "record") yield entry.record;
    else onDamage(entry);
  }
}

function parseLine(bytes: Uint8Array, at: { line: number; ended: boolean }): SegmentLine {
  const { line, ended } = at;
  if (bytes.length > MAX_LINE_BYTES) {
    return { kind: "malformed", line, reason: `longer than ${MAX_LINE_BYTES} bytes` };
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const record: unknown = JSON.parse(text);
    if (typeof record === "object" && record !== null) return { kind: "record", line, record };
    return { kind: "malformed", line, reason: "not a JSON object" };
  } catch (error) {
    // Without its newline the line was being written when everything stopped.
    if (!ended) return { kind: "torn", line, bytes: bytes.length };
    return { kind: "malformed", line, reason: error instanceof Error ? error.message : "not JSON" };
  }
}

/** Splits a file at newlines. Bytes beyond the longest line are dropped, so memory stays bounded. */
async function* rawLines(path: string): AsyncGenerator<{ bytes: Uint8Array; ended: boolean }> {
  let parts: Uint8Array[] = [];
  let length = 0;
  const keep = (part: Uint8Array): void => {
    if (length <= MAX_LINE_BYTES && part.length > 0) {
      parts.push(part);
      length += part.length;
    }
  };
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      keep(chunk.subarray(start, end));
      yield { bytes: Buffer.concat(parts), ended: true };
      parts = [];
      length = 0;
      start = end + 1;
    }
    keep(chunk.subarray(start));
  }
  if (length > 0) yield { bytes: Buffer.concat(parts), ended: false };
}
