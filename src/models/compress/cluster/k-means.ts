// Clustering of numbers. On a line the optimal clusters are intervals, so that dynamic programming finds
// them exactly (Wang & Song, "Ckmeans.1d.dp", The R Journal 3, 2011), in O(k n log n) since the best first
// element of the last cluster never moves left as elements are added (Groenlund et al. 2017).

/** Distinct numbers, rising, with how often each occurs. */
export interface WeightedPoints {
  readonly values: Float64Array;
  readonly counts: Float64Array;
}

/** More points than this are first gathered into as many bins. */
const MOST_POINTS = 65_536;

/** The points of some numbers: exact up to 65,536 distinct ones, else the means of equal bins. */
export function pointsOf(numbers: ArrayLike<number>): WeightedPoints {
  const sorted = Float64Array.from(numbers).sort();
  const distinct = merged(sorted, (value, last) => value === last);
  if (distinct.values.length <= MOST_POINTS) return distinct;
  const [low, high] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  const binOf = (value: number): number =>
    Math.min(MOST_POINTS - 1, Math.floor(((value - low) / (high - low)) * MOST_POINTS));
  return merged(sorted, (value, last) => binOf(value) === binOf(last));
}

/** Runs of sorted numbers as their means. */
function merged(
  sorted: Float64Array,
  together: (value: number, last: number) => boolean,
): WeightedPoints {
  const values: number[] = [];
  const counts: number[] = [];
  let [start, sum] = [0, 0];
  for (const [at, value] of sorted.entries()) {
    sum += value;
    const next = sorted[at + 1];
    if (next !== undefined && together(next, value)) continue;
    const count = at + 1 - start;
    // The mean of equal numbers must be that number, whatever rounding does to their sum.
    values.push(sorted[start] === value ? value : sum / count);
    counts.push(count);
    [start, sum] = [at + 1, 0];
  }
  return { values: Float64Array.from(values), counts: Float64Array.from(counts) };
}

/** Sums over the first i points, about their mean so that differences keep their digits. */
interface Sums {
  readonly count: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
  readonly centre: number;
}

function sumsOf({ values, counts }: WeightedPoints): Sums {
  const size = values.length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const centre = values.reduce((sum, value, i) => sum + value * (counts[i] ?? 0), 0) / total;
  const [count, first, second] = [0, 1, 2].map(() => new Float64Array(size + 1));
  if (!count || !first || !second) throw new RangeError("no points");
  for (let i = 0; i < size; i++) {
    const [value, weight] = [(values[i] ?? 0) - centre, counts[i] ?? 0];
    count[i + 1] = (count[i] ?? 0) + weight;
    first[i + 1] = (first[i] ?? 0) + weight * value;
    second[i + 1] = (second[i] ?? 0) + weight * value * value;
  }
  return { count, first, second, centre };
}

/** Squared distances of the points from `from` up to `to` to their mean. */
function spread({ count, first, second }: Sums, from: number, to: number): number {
  const weight = (count[to] ?? 0) - (count[from] ?? 0);
  const sum = (first[to] ?? 0) - (first[from] ?? 0);
  return Math.max(0, (second[to] ?? 0) - (second[from] ?? 0) - (sum * sum) / weight);
}

const meanOf = ({ count, first, centre }: Sums, from: number, to: number): number =>
  centre + ((first[to] ?? 0) - (first[from] ?? 0)) / ((count[to] ?? 0) - (count[from] ?? 0));

/** The k centres of least squared distance, rising; fewer where there are fewer distinct points. */
export function exactCentres(points: WeightedPoints, k: number): Float64Array {
  const size = points.values.length;
  if (size <= k) return points.values.slice();
  const sums = sumsOf(points);
  let best: Float64Array = Float64Array.from({ length: size + 1 }, (_, to) =>
    to === 0 ? 0 : spread(sums, 0, to),
  );
  // starts[m][to]: first point of the last of m + 2 clusters of the points up to `to`.
  const starts: Int32Array[] = [];
  for (let clusters = 2; clusters <= k; clusters++) {
    const { next, start } = oneMore(best, sums, clusters);
    starts.push(start);
    best = next;
  }
  const centres: number[] = [];
  let to = size;
  for (const start of starts.toReversed()) {
    const from = start[to] ?? 0;
    centres.push(meanOf(sums, from, to));
    to = from;
  }
  centres.push(meanOf(sums, 0, to));
  return Float64Array.from(centres.toReversed());
}

/** Best partitions into one cluster more, by divide and conquer over the number of points. */
function oneMore(
  best: Float64Array,
  sums: Sums,
  clusters: number,
): { readonly next: Float64Array; readonly start: Int32Array } {
  const size = best.length - 1;
  const next = new Float64Array(size + 1).fill(Number.POSITIVE_INFINITY);
  const start = new Int32Array(size + 1);
  const open: (readonly [low: number, high: number, least: number, most: number])[] = [
    [clusters, size, clusters - 1, size - 1],
  ];
  for (let range = open.pop(); range !== undefined; range = open.pop()) {
    const [low, high, least, most] = range;
    if (low > high) continue;
    const to = (low + high) >> 1;
    let [found, at] = [Number.POSITIVE_INFINITY, least];
    for (let from = least; from <= Math.min(most, to - 1); from++) {
      const total = (best[from] ?? 0) + spread(sums, from, to);
      if (total < found) [found, at] = [total, from];
    }
    next[to] = found;
    start[to] = at;
    open.push([low, to - 1, least, at], [to + 1, high, at, most]);
  }
  return { next, start };
}

const MOST_ROUNDS = 300;

/** Lloyd's iteration from evenly spaced centres (Han, Mao & Dally, "Deep compression", ICLR 2016). */
export function lloydCentres(points: WeightedPoints, k: number): Float64Array {
  const { values } = points;
  const size = values.length;
  if (size <= k) return values.slice();
  const sums = sumsOf(points);
  const [low, high] = [values[0] ?? 0, values.at(-1) ?? 0];
  let centres: Float64Array = Float64Array.from(
    { length: k },
    (_, i) => low + ((high - low) * i) / (k - 1 || 1),
  );
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const bounds = boundsBetween(values, centres);
    const moved = centres.map((centre, i) => {
      const [from, to] = [bounds[i] ?? 0, bounds[i + 1] ?? size];
      return from === to ? centre : meanOf(sums, from, to);
    });
    if (moved.every((centre, i) => centre === centres[i])) break;
    centres = moved;
  }
  return centres;
}

/** First point of each centre's interval, and the number of points. */
function boundsBetween(values: Float64Array, centres: Float64Array): readonly number[] {
  const bounds = [0];
  let at = 0;
  for (let i = 1; i < centres.length; i++) {
    const middle = ((centres[i - 1] ?? 0) + (centres[i] ?? 0)) / 2;
    while (at < values.length && (values[at] ?? 0) <= middle) at++;
    bounds.push(at);
  }
  return [...bounds, values.length];
}

/** Index of the nearest of some rising centres. */
export function nearestIndex(centres: Float64Array, value: number): number {
  let [low, high] = [0, centres.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (value <= ((centres[middle] ?? 0) + (centres[middle + 1] ?? 0)) / 2) high = middle;
    else low = middle + 1;
  }
  return low;
}
