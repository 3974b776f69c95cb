// Bytes that a node reads and writes when nothing is fused and nothing stays in a cache: every input
// once, every output once. Views move nothing; picking reads what it picks.

import { addSizes, type Size } from "../../onnx/index.ts";
import { MADE_BEFORE, PICKING, VIEWED } from "./rules/moves.ts";
import { bytesOf, type Site, typeOf } from "./site.ts";

export interface Traffic {
  /** Null when a shape or type is not known. */
  readonly reads: Size | null;
  readonly writes: Size | null;
}

const NONE: Traffic = { reads: 0, writes: 0 };

/** Bytes moved by one execution of a node. */
export function trafficOf(site: Site): Traffic {
  const { node } = site;
  if (VIEWED.has(node.opType) || MADE_BEFORE.has(node.opType)) return NONE;
  const writes = totalOf(site, node.outputs);
  if (!PICKING.has(node.opType)) return { reads: totalOf(site, node.inputs), writes };
  const others = totalOf(site, node.inputs.slice(1));
  return { reads: writes === null || others === null ? null : addSizes(writes, others), writes };
}

function totalOf(site: Site, values: readonly string[]): Size | null {
  let sum: Size = 0;
  for (const value of new Set(values)) {
    if (value === "") continue;
    const bytes = bytesOf(typeOf(site, value));
    if (bytes === null) return null;
    sum = addSizes(sum, bytes);
  }
  return sum;
}
