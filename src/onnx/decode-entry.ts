// StringStringEntryProto: a key with its value.

import type { StringEntry } from "./model.ts";
import { readFields } from "./read-fields.ts";
import type { WireReader } from "./wire-reader.ts";

/** A key with its value. */
export function decodeEntry(reader: WireReader): StringEntry {
  const rest: { key?: string; value?: string } = {};
  const unknown = readFields(reader, {
    1: () => {
      rest.key = reader.text();
    },
    2: () => {
      rest.value = reader.text();
    },
  });
  return { ...rest, ...unknown };
}
