// StringStringEntryProto: a key with its value.

import type { StringEntry } from "./model.ts";
import { WireWriter } from "./wire-writer.ts";

/** A key with its value. */
export function encodeEntry(entry: StringEntry): WireWriter {
  const writer = new WireWriter();
  writer.optionalText(1, entry.key);
  writer.optionalText(2, entry.value);
  writer.verbatimAll(entry.unknown);
  return writer;
}
