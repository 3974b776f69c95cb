// Finding texts (or any sets) that are nearly the same without comparing all pairs: MinHash signatures
// (Broder, On the Resemblance and Containment of Documents, 1997) in bands (Leskovec, Rajaraman & Ullman,
// Mining of Massive Datasets, 3.3 and 3.4).

import { createRandom } from "../../../core/index.ts";

/** Distinct runs of `size` characters, white space made one blank, in lower case. */
export function shingles(text: string, size = 5): ReadonlySet<string> {
  const letters = [...text.toLowerCase().replace(/\s+/g, " ").trim()];
  const count = Math.max(1, letters.length - size + 1);
  return new Set(Array.from({ length: count }, (_, at) => letters.slice(at, at + size).join("")));
}

/** Share of elements that two sets have in common; 1 for two empty ones. */
export function jaccard(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const element of a) if (b.has(element)) common++;
  const union = a.size + b.size - common;
  return union === 0 ? 1 : common / union;
}

/** Makes signatures that can be compared: all by the same `hashes` functions, drawn from a seed. */
export type Signer = (elements: ReadonlySet<string>) => Uint32Array;

/** The Mersenne prime 2^31 - 1: the field in which the hash functions x -> a x + b are. */
const PRIME = 2_147_483_647;

/**
 * Signatures of `hashes` minima. The share of places at which two signatures agree estimates the Jaccard
 * similarity without bias; its standard error is sqrt(s (1 - s) / hashes).
 */
export function minHash(hashes: number, seed = 1): Signer {
  const random = createRandom(seed);
  const below = PRIME;
  const factors = Array.from({ length: hashes }, () => 1 + random.integer(below - 1));
  const shifts = Array.from({ length: hashes }, () => random.integer(below));
  return (elements) => {
    const signature = new Uint32Array(hashes).fill(0xffffffff);
    for (const element of elements) {
      const x = hash31(element);
      for (let at = 0; at < hashes; at++) {
        const value = mulAddMod(factors[at] as number, x, shifts[at] as number);
        if (value < (signature[at] as number)) signature[at] = value;
      }
    }
    return signature;
  };
}

/** (a x + b) mod 2^31 - 1 in exact double arithmetic, by halves of 16 bits. */
function mulAddMod(a: number, x: number, b: number): number {
  const high = Math.floor(x / 65_536);
  const low = x % 65_536;
  return (((((a * high) % PRIME) * 65_536) % PRIME) + a * low + b) % PRIME;
}

/** A text as a number below 2^31 - 1: FNV-1a over UTF-16 units with the finaliser of MurmurHash3. */
function hash31(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % PRIME;
}

/** Share of places at which two signatures agree. */
export function similarity(a: Uint32Array, b: Uint32Array): number {
  let same = 0;
  for (let at = 0; at < a.length; at++) if (a[at] === b[at]) same++;
  return same / a.length;
}

/** Probability that a pair of similarity s becomes a candidate: 1 - (1 - s^rows)^bands, an S-curve. */
export const candidateProbability = (s: number, bands: number, rows: number): number =>
  1 - (1 - s ** rows) ** bands;

/** Pairs that agree in all rows of at least one band, each once, the lower number first. */
export function candidatePairs(
  signatures: readonly Uint32Array[],
  bands: number,
): readonly (readonly [number, number])[] {
  const rows = Math.floor((signatures[0]?.length ?? 0) / bands);
  if (rows === 0) return [];
  const seen = new Set<string>();
  const pairs: [number, number][] = [];
  for (let band = 0; band < bands; band++) {
    const buckets = new Map<string, number[]>();
    signatures.forEach((signature, document) => {
      const key = signature.subarray(band * rows, (band + 1) * rows).join(",");
      const bucket = buckets.get(key) ?? [];
      for (const other of bucket) {
        const pair = `${other},${document}`;
        if (seen.has(pair)) continue;
        seen.add(pair);
        pairs.push([other, document]);
      }
      bucket.push(document);
      buckets.set(key, bucket);
    });
  }
  return pairs;
}

export interface Deduplicated {
  /** Rows to keep: the first of every group of near duplicates. */
  readonly kept: readonly number[];
  /** For every row that is dropped, the row that stands for it. */
  readonly dropped: ReadonlyMap<number, number>;
  /** Pairs that were compared exactly, of n (n - 1) / 2. */
  readonly compared: number;
}

export interface DeduplicateOptions {
  readonly threshold?: number;
  readonly bands?: number;
  readonly rows?: number;
  readonly seed?: number;
}

/** Near duplicates among texts, by their runs of characters. */
export function deduplicate(
  texts: readonly string[],
  { shingle = 5, ...options }: DeduplicateOptions & { readonly shingle?: number } = {},
): Deduplicated {
  return deduplicateSets(
    texts.map((text) => shingles(text, shingle)),
    options,
  );
}

/**
 * Near duplicates: pairs found by banding whose true Jaccard similarity is at least `threshold`, and what
 * hangs together by such pairs. Defaults give a pair at 0.8 a chance of 0.9996 to be found.
 */
export function deduplicateSets(
  sets: readonly ReadonlySet<string>[],
  { threshold = 0.8, bands = 20, rows = 5, seed = 1 }: DeduplicateOptions = {},
): Deduplicated {
  const sign = minHash(bands * rows, seed);
  const pairs = candidatePairs(sets.map(sign), bands);
  const parent = sets.map((_, row) => row);
  const root = (row: number): number => {
    let at = row;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] as number] as number;
      at = parent[at] as number;
    }
    return at;
  };
  for (const [a, b] of pairs) {
    if (jaccard(sets[a] as ReadonlySet<string>, sets[b] as ReadonlySet<string>) < threshold)
      continue;
    const [low, high] = [root(a), root(b)].sort((x, y) => x - y) as [number, number];
    parent[high] = low;
  }
  const kept: number[] = [];
  const dropped = new Map<number, number>();
  sets.forEach((_, row) => {
    if (root(row) === row) kept.push(row);
    else dropped.set(row, root(row));
  });
  return { kept, dropped, compared: pairs.length };
}
