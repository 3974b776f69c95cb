// Which rows: splits and shuffles as lists of row numbers, all repeatable from a seed. The rows of a part
// are in ascending order unless they were shuffled on purpose.

import { createRandom, type Random } from "../../core/index.ts";

/** 0 to `length - 1`. */
export const allRows = (length: number): readonly number[] =>
  Array.from({ length }, (_, row) => row);

/** A permutation of the rows, every one equally likely (Fisher and Yates; Durstenfeld 1964). */
export function shuffled(rows: readonly number[], random: Random): number[] {
  const order = [...rows];
  for (let last = order.length - 1; last > 0; last--) {
    const other = random.integer(last + 1);
    [order[last], order[other]] = [order[other] as number, order[last] as number];
  }
  return order;
}

/**
 * Parts of the rows in proportion to `weights`, drawn at random. Sizes are rounded so that every row is
 * in exactly one part (cumulative rounding: no part is off by one or more).
 */
export function randomSplit(length: number, weights: readonly number[], seed: number): number[][] {
  const order = shuffled(allRows(length), createRandom(seed));
  return cut(order, weights).map(ascending);
}

/**
 * As `randomSplit`, within each label, so that every part has the labels in the proportions of the whole,
 * to within a row a label.
 */
export function stratifiedSplit(
  labels: ArrayLike<number>,
  weights: readonly number[],
  seed: number,
): number[][] {
  const random = createRandom(seed);
  const parts: number[][] = weights.map(() => []);
  for (const rows of rowsByLabel(labels).values()) {
    cut(shuffled(rows, random), weights).forEach((part, at) => {
      parts[at]?.push(...part);
    });
  }
  return parts.map(ascending);
}

/**
 * Parts chosen by a hash of each row's own identity, so that a row stays in its part when others are
 * added, removed or reordered, and rows with the same identity (a site, a patient, a source image) are
 * never apart. Sizes are in proportion to `weights` only on average.
 */
export function hashSplit(ids: readonly string[], weights: readonly number[]): number[][] {
  const bounds = cumulative(weights);
  const parts: number[][] = weights.map(() => []);
  ids.forEach((id, row) => {
    const place = hash32(id) / 2 ** 32;
    const part = bounds.findIndex((bound) => place < bound);
    parts[part === -1 ? weights.length - 1 : part]?.push(row);
  });
  return parts;
}

/** Rows of each label, by label in ascending order. */
export function rowsByLabel(labels: ArrayLike<number>): ReadonlyMap<number, readonly number[]> {
  const found = new Map<number, number[]>();
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    const rows = found.get(label);
    if (rows === undefined) found.set(label, [row]);
    else rows.push(row);
  }
  return new Map([...found].sort(([a], [b]) => a - b));
}

/** Rows in consecutive groups of `size`; the last may be smaller. */
export function batched(rows: readonly number[], size: number): number[][] {
  const count = Math.ceil(rows.length / size);
  return Array.from({ length: count }, (_, at) => rows.slice(at * size, (at + 1) * size));
}

function cut(order: readonly number[], weights: readonly number[]): number[][] {
  const ends = cumulative(weights).map((share) => Math.round(share * order.length));
  return ends.map((end, part) => order.slice(ends[part - 1] ?? 0, end));
}

/** Shares of the whole up to and with each weight. Throws RangeError for weights that cannot be. */
function cumulative(weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (!(sum > 0) || weights.some((weight) => !(weight >= 0))) {
    throw new RangeError(`split weights ${weights.join(", ")}`);
  }
  let reached = 0;
  return weights.map((weight) => {
    reached += weight;
    return reached / sum;
  });
}

const ascending = (rows: readonly number[]): number[] => [...rows].sort((a, b) => a - b);

/**
 * 32 bits of a text, spread evenly: FNV-1a over UTF-16 units, then the finaliser of MurmurHash3 (Appleby),
 * since FNV alone leaves the high bits of short texts alike.
 */
function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
