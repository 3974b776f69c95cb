// Attention of the standard operator set (opset 23): heads on an axis of their own, or packed.

import { add, multiply, type Size } from "../dimension.ts";
import { floorDivide } from "../dimension-division.ts";
import type { Shape } from "../inferred-type.ts";
import {
  axisSize,
  fault,
  hasInput,
  intOf,
  type Operation,
  type Rules,
  shapeFromRank,
  shapeOfRank,
  tensors,
  typeOfInput,
} from "../operation.ts";
import { unary } from "./elementwise.ts";

/** A query, key or value with its heads apart. */
interface Heads {
  readonly batch: Size;
  readonly heads: Size;
  readonly length: Size;
  readonly size: Size;
}

function headsOf(operation: Operation, index: number, attribute: string): Heads {
  const shape = shapeFromRank(operation, index, 3);
  if (shape.length === 4) {
    const [batch = 1, heads = 1, length = 1, size = 1] = shape;
    return { batch, heads, length, size };
  }
  const [batch = 1, length = 1, hidden = 1] = shapeOfRank(operation, index, 3);
  const heads = intOf(operation, attribute, 0);
  if (heads < 1) fault(`attribute ${attribute} is missing`);
  return { batch, heads, length, size: floorDivide(hidden, heads) };
}

function attention(operation: Operation): readonly Shape[] {
  const query = headsOf(operation, 0, "q_num_heads");
  const key = headsOf(operation, 1, "kv_num_heads");
  const value = headsOf(operation, 2, "kv_num_heads");
  const past = hasInput(operation, 4) ? axisSize(shapeOfRank(operation, 4, 4), 2) : 0;
  const total = add(past, key.length);
  const packed = shapeFromRank(operation, 0, 3).length === 3;
  return [
    packed
      ? [query.batch, query.length, multiply(query.heads, value.size)]
      : [query.batch, query.heads, query.length, value.size],
    [key.batch, key.heads, total, key.size],
    [value.batch, value.heads, total, value.size],
    [query.batch, query.heads, query.length, total],
  ];
}

export const attentions: Rules = {
  Attention: tensors(attention, typeOfInput(0, 1, 2, 0)),
  RotaryEmbedding: unary,
};
