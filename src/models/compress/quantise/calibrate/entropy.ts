// The range whose quantised distribution tells most of the original one: least Kullback-Leibler
// divergence (Migacz, "8-bit inference with TensorRT", GTC 2017), as ONNX Runtime computes it
// (onnxruntime/python/tools/quantization/calibrate.py, HistogramCollector).
//
// It needs many more bins than levels: with 128 of each, ONNX Runtime's default, there is one candidate,
// the whole range, and the search is none.

import type { Range } from "../grid.ts";
import { edge, type Histogram } from "./histogram.ts";

export interface EntropyRange extends Range {
  readonly divergence: number;
}

/** Candidates: slices around the middle bin of a histogram that is symmetric about 0. */
export function entropyRange(histogram: Histogram, levels: number): EntropyRange {
  const { counts } = histogram;
  const middle = Math.floor(counts.length / 2);
  const candidates = [];
  for (let half = Math.floor(levels / 2); half <= middle; half++) {
    candidates.push({
      start: Math.max(0, middle - half),
      end: Math.min(middle + half + 1, counts.length),
    });
  }
  return best(histogram, candidates, levels);
}

/** Candidates: slices from 0 on of a histogram that begins there, for what is never negative. */
export function oneSidedEntropyRange(histogram: Histogram, levels: number): EntropyRange {
  const { length } = histogram.counts;
  const candidates = [];
  for (let end = levels; end <= length; end++) candidates.push({ start: 0, end });
  return best(histogram, candidates, levels);
}

/** Bins of the histogram from `start` up to `end`. */
interface Slice {
  readonly start: number;
  readonly end: number;
}

function best(histogram: Histogram, candidates: readonly Slice[], levels: number): EntropyRange {
  let found = { min: histogram.min, max: histogram.max, divergence: Number.POSITIVE_INFINITY };
  const sums = sumsOf(histogram.counts);
  for (const slice of candidates) {
    const divergence = divergenceOf(sums, slice, levels);
    if (divergence === null || divergence >= found.divergence) continue;
    const [min, max] = [edge(histogram, slice.start), edge(histogram, slice.end)];
    found = { min, max, divergence };
  }
  return found;
}

/** Running sums, so that what lies in a run of bins is one subtraction. */
interface Sums {
  readonly counts: Float64Array;
  /** Values in the bins before each. */
  readonly before: Float64Array;
  /** Bins that are not empty, before each. */
  readonly filledBefore: Float64Array;
}

function sumsOf(counts: Float64Array): Sums {
  const before = new Float64Array(counts.length + 1);
  const filledBefore = new Float64Array(counts.length + 1);
  counts.forEach((of, bin) => {
    before[bin + 1] = (before[bin] ?? 0) + of;
    filledBefore[bin + 1] = (filledBefore[bin] ?? 0) + (of === 0 ? 0 : 1);
  });
  return { counts, before, filledBefore };
}

/** Mass that empty bins are given, taken from the others, so that no logarithm is of 0. */
const EPSILON = 1e-4;

/** KL divergence of a clipped slice from the same slice on `levels` levels; null where not defined. */
function divergenceOf(sums: Sums, { start, end }: Slice, levels: number): number | null {
  const p = clippedSlice(sums, start, end);
  const q = levelCounts(p, levels);
  if (p.taken >= 1 || q.taken >= 1) return null;
  let result = 0;
  for (let bin = 0; bin < p.length; bin++) {
    const a = p.at(bin) === 0 ? EPSILON : p.at(bin) - p.taken;
    const level = q.counts[Math.floor(bin / q.width)] ?? 0;
    const b = level === 0 ? EPSILON : level - q.taken;
    result += (a / p.total) * Math.log((a * q.total) / (b * p.total));
  }
  return result;
}

/** A slice whose ends count all that lies beyond them. */
function clippedSlice({ counts, before, filledBefore }: Sums, start: number, end: number) {
  const length = end - start;
  const last = length - 1;
  const total = before[counts.length] ?? 0;
  const [left, right] = [before[start] ?? 0, total - (before[end] ?? 0)];
  const at = (bin: number): number =>
    (counts[start + bin] ?? 0) + (bin === 0 ? left : 0) + (bin === last ? right : 0);
  /** Bins of a part that are not empty, with what lies beyond the ends. */
  const filled = (from: number, to: number): number => {
    const inside = (filledBefore[start + to] ?? 0) - (filledBefore[start + from] ?? 0);
    const first = from === 0 && left > 0 && counts[start] === 0 ? 1 : 0;
    const final = to > last && right > 0 && counts[end - 1] === 0 ? 1 : 0;
    return inside + first + final;
  };
  const sum = (from: number, to: number): number =>
    (before[start + to] ?? 0) - (before[start + from] ?? 0);
  const some = filled(0, length);
  return { length, total, at, filled, sum, taken: (EPSILON * (length - some)) / some };
}

/** The slice merged into levels, each level spread evenly over its bins that are not empty. */
function levelCounts(p: ReturnType<typeof clippedSlice>, levels: number) {
  const width = Math.floor(p.length / levels);
  const counts = new Float64Array(levels);
  let empty = p.length - levels * width;
  for (let level = 0; level < levels; level++) {
    const [from, to] = [level * width, (level + 1) * width];
    const filled = p.filled(from, to);
    // Bins that are left over count for the last level, and are not filled.
    const merged = p.sum(from, level === levels - 1 ? p.length : to);
    // ONNX Runtime keeps whole counts, and fills empty bins too.
    const each = filled === 0 ? 0 : Math.trunc(merged / filled);
    counts[level] = each;
    if (each === 0) empty += width;
  }
  const total = counts.reduce((sum, of) => sum + of * width, 0);
  return { counts, width, total, taken: (EPSILON * empty) / (p.length - empty) };
}
