// Attention as one operator: projections where it has them, scores, softmax, weighted sum of the values.
// Scores that a causal mask throws away are counted: kernels compute them, except some that skip.

import {
  addSizes,
  floorDivideSizes,
  intOf,
  intsOf,
  multiplySizes,
  productOfSizes,
  type Size,
} from "../../../onnx/index.ts";
import {
  axis,
  hasInput,
  inputShape,
  inputSize,
  outputSize,
  type Site,
  Uncountable,
} from "../site.ts";
import type { Work, WorkRule, WorkRules } from "./work.ts";

/** The sizes behind an attention; `heads` are those of the query. */
interface Sizes {
  readonly batch: Size;
  readonly heads: Size;
  readonly queries: Size;
  readonly keys: Size;
  /** Of one head: of queries and keys, and of values. */
  readonly depth: Size;
  readonly valueDepth: Size;
}

/** Scale and the five operations of softmax for each score; one more where a mask or bias is added. */
const PER_SCORE = 6;

function attend({ batch, heads, queries, keys, depth, valueDepth }: Sizes, masked: boolean): Work {
  const scores = productOfSizes([batch, heads, queries, keys]);
  return {
    macs: multiplySizes(scores, addSizes(depth, valueDepth)),
    other: multiplySizes(scores, PER_SCORE + (masked ? 1 : 0)),
  };
}

/** ai.onnx, opset 23: [batch, heads, length, size], or [batch, length, heads*size] with attributes. */
const standard: WorkRule = (site) => {
  const query = heads(site, 0, "q_num_heads");
  const key = heads(site, 1, "kv_num_heads");
  const value = heads(site, 2, "kv_num_heads");
  const past = hasInput(site, 4) ? axis(inputShape(site, 4), 2) : 0;
  return attend(
    {
      batch: query.batch,
      heads: query.heads,
      queries: query.length,
      keys: addSizes(past, key.length),
      depth: query.size,
      valueDepth: value.size,
    },
    hasInput(site, 3) || intOf(site.node, "is_causal", 0) === 1,
  );
};

function heads(site: Site, index: number, attribute: string) {
  const shape = inputShape(site, index);
  if (shape.length === 4) {
    const [batch = 1, count = 1, length = 1, size = 1] = shape;
    return { batch, heads: count, length, size };
  }
  const [batch = 1, length = 1, hidden = 1] = shape;
  const count = countOf(site, attribute);
  return { batch, heads: count, length, size: floorDivideSizes(hidden, count) };
}

function countOf(site: Site, attribute: string): number {
  const count = intOf(site.node, attribute, 0);
  if (count < 1) throw new Uncountable(`attribute ${attribute} is missing`);
  return count;
}

/** com.microsoft Attention: query, key and value are projected by one weight matrix first. */
const selfAttention =
  ({ mask, past }: { readonly mask: number; readonly past: number }): WorkRule =>
  (site) => {
    const [batch = 1, length = 1, inputs = 1] = inputShape(site, 0);
    const columns = axis(inputShape(site, 1), 1);
    const [query, , value] = intsOf(site.node, "qkv_hidden_sizes", null) ?? [];
    const third = floorDivideSizes(columns, 3);
    const count = countOf(site, "num_heads");
    const before = hasInput(site, past) ? axis(inputShape(site, past), 3) : 0;
    const projected = productOfSizes([batch, length, columns]);
    const { macs, other } = attend(
      {
        batch,
        heads: count,
        queries: length,
        keys: addSizes(before, length),
        depth: floorDivideSizes(query ?? third, count),
        valueDepth: floorDivideSizes(value ?? third, count),
      },
      hasInput(site, mask) || intOf(site.node, "unidirectional", 0) === 1,
    );
    return {
      macs: addSizes(multiplySizes(projected, inputs), macs),
      other: addSizes(hasInput(site, 2) ? projected : 0, other),
    };
  };

/** Queries, keys and values come projected; packed, with their heads apart, or each for itself. */
const multiHead =
  (masks: readonly number[], past: number): WorkRule =>
  (site) => {
    const count = countOf(site, "num_heads");
    const query = inputShape(site, 0);
    const [batch = 1, length = 1] = query;
    const depth = query.length === 5 ? axis(query, 4) : floorDivideSizes(axis(query, 2), count);
    const key = hasInput(site, 1) ? inputShape(site, 1) : null;
    const value = hasInput(site, 2) ? inputShape(site, 2) : null;
    const valueDepth =
      value === null
        ? depth
        : value.length === 4
          ? axis(value, 3)
          : floorDivideSizes(axis(value, 2), count);
    const keys = key === null ? length : axis(key, key.length === 4 ? 2 : 1);
    const before = hasInput(site, past) ? axis(inputShape(site, past), 2) : 0;
    return attend(
      { batch, heads: count, queries: length, keys: addSizes(before, keys), depth, valueDepth },
      masks.some((mask) => hasInput(site, mask)),
    );
  };

/** Fewer heads for keys and values; each head of the query still has scores of its own. */
const grouped: WorkRule = (site) => {
  const count = countOf(site, "num_heads");
  const groups = countOf(site, "kv_num_heads");
  const [batch = 1, length = 1, hidden = 1] = inputShape(site, 0);
  const packed = !hasInput(site, 1);
  const depth = floorDivideSizes(hidden, packed ? count + 2 * groups : count);
  const before = hasInput(site, 3) ? axis(inputShape(site, 3), 2) : 0;
  const sizes = { batch, heads: count, queries: length, keys: addSizes(before, length) };
  const work = attend({ ...sizes, depth, valueDepth: depth }, true);
  if (intOf(site.node, "do_rotary", 0) === 0) return work;
  // Rotation of queries and keys: three operations an element.
  const rotated = productOfSizes([batch, length, count + groups, depth, 3]);
  return { ...work, other: addSizes(work.other, rotated) };
};

/** Each token goes through `k` experts of two or three matrices, [experts, rows, columns]. */
const mixtureOfExperts: WorkRule = (site) => {
  const chosen = intOf(site.node, "k", 1);
  const tokens = productOfSizes(inputShape(site, 0).slice(0, -1));
  const matrices = [2, 4, 6].filter((index) => hasInput(site, index));
  const perToken = matrices
    .map((index) => productOfSizes(inputShape(site, index).slice(1)))
    .reduce<Size>(addSizes, 0);
  const inner = axis(inputShape(site, 2), -1);
  return {
    macs: productOfSizes([tokens, chosen, perToken]),
    other: addSizes(productOfSizes([tokens, chosen, inner]), multiplySizes(inputSize(site, 1), 5)),
  };
};

/** Pairs are turned: two products and one addition an element. */
const rotary: WorkRule = (site) => ({ macs: 0, other: multiplySizes(outputSize(site), 3) });

export const attentions: WorkRules = { Attention: standard, RotaryEmbedding: rotary };

export const microsoftAttentions: WorkRules = {
  Attention: selfAttention({ mask: 3, past: 4 }),
  QAttention: selfAttention({ mask: 5, past: 8 }),
  MultiHeadAttention: multiHead([4, 5], 6),
  DecoderMaskedMultiHeadAttention: multiHead([3, 4], 5),
  GroupQueryAttention: grouped,
  MoE: mixtureOfExperts,
  RotaryEmbedding: rotary,
};
