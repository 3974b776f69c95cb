// Walks over the fields of one message.

import type { UnknownFields } from "./model.ts";
import type { WireReader } from "./wire-reader.ts";

/** What to do with a field, by its number. */
export type FieldHandlers = Readonly<Record<number, () => unknown>>;

/** Hands each field to its handler and returns the bytes of those that have none. */
export function readFields(
  reader: WireReader,
  handlers: FieldHandlers,
): { readonly unknown?: UnknownFields } {
  const unknown: Uint8Array[] = [];
  while (!reader.done) {
    const handle = handlers[reader.next()];
    if (handle === undefined) unknown.push(reader.skip());
    else handle();
  }
  return unknown.length === 0 ? {} : { unknown };
}
