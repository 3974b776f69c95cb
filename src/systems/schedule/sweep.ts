// What a job costs at every start step of a record at once, for studies over whole years: O(n) for
// windows, O(n log n) for the cleanest slots, where asking a policy at each step is O(n x slack).
// Integers stay exact: give intensities in hundredths to compare with tables of two decimals.

/** Sums of each window of `length` values: index i is the window that starts at i. */
export function windowSums(values: ArrayLike<number>, length: number): Float64Array {
  const count = Math.max(0, values.length - length + 1);
  const sums = new Float64Array(count);
  let sum = 0;
  for (let at = 0; at < values.length; at++) {
    sum += (values[at] ?? NaN) - (at >= length ? (values[at - length] ?? NaN) : 0);
    if (at >= length - 1) sums[at - length + 1] = sum;
  }
  return sums;
}

/**
 * For each start i the least window of `length` values that starts in [i, i + slack] and ends within
 * the record. A queue of ascending candidates, as each only leaves when a lower one enters behind it.
 */
export function lowestWindows(
  values: ArrayLike<number>,
  length: number,
  slack: number,
): Float64Array {
  const sums = windowSums(values, length);
  const least = new Float64Array(sums.length);
  const queue = new Int32Array(sums.length);
  let [head, tail, entered] = [0, 0, 0];
  for (let start = 0; start < sums.length; start++) {
    for (; entered < sums.length && entered <= start + slack; entered++) {
      const entering = sums[entered] ?? NaN;
      while (tail > head && (sums[queue[tail - 1] ?? 0] ?? NaN) >= entering) tail--;
      queue[tail++] = entered;
    }
    if ((queue[head] ?? 0) < start) head++;
    least[start] = sums[queue[head] ?? 0] ?? NaN;
  }
  return least;
}

/** A record with each value's position in ascending order, which many sweeps can share. */
export interface Ranked {
  readonly values: ArrayLike<number>;
  readonly ranks: Int32Array;
}

/** Ranks a record. Equal values rank by time, so each rank is taken once. */
export function ranked(values: ArrayLike<number>): Ranked {
  const order = Int32Array.from({ length: values.length }, (_, at) => at).sort(
    (a, b) => (values[a] ?? NaN) - (values[b] ?? NaN) || a - b,
  );
  const ranks = new Int32Array(values.length);
  for (const [rank, at] of order.entries()) ranks[at] = rank;
  return { values, ranks };
}

/**
 * For each start i the sum of the `length` least values of [i, i + length + slack), cut at the end of
 * the record. A Fenwick tree over ranks holds counts and sums of the window.
 */
export function cheapestSlots(
  { values, ranks }: Ranked,
  length: number,
  slack: number,
): Float64Array {
  const count = Math.max(0, values.length - length + 1);
  const cheapest = new Float64Array(count);
  const tree = emptyTree(values.length);
  let entered = 0;
  for (let start = 0; start < count; start++) {
    const end = Math.min(values.length, start + length + slack);
    for (; entered < end; entered++) add(tree, ranks[entered] ?? 0, 1, values[entered] ?? NaN);
    cheapest[start] = leastSum(tree, length);
    add(tree, ranks[start] ?? 0, -1, -(values[start] ?? NaN));
  }
  return cheapest;
}

interface Tree {
  readonly counts: Int32Array;
  readonly sums: Float64Array;
  /** Largest power of two that is not above the size. */
  readonly top: number;
}

const emptyTree = (size: number): Tree => ({
  counts: new Int32Array(size + 1),
  sums: new Float64Array(size + 1),
  top: 2 ** Math.floor(Math.log2(Math.max(1, size))),
});

function add({ counts, sums }: Tree, rank: number, count: number, value: number): void {
  for (let node = rank + 1; node < counts.length; node += node & -node) {
    counts[node] = (counts[node] ?? 0) + count;
    sums[node] = (sums[node] ?? 0) + value;
  }
}

/** Sum of the `wanted` least values in the tree. */
function leastSum({ counts, sums, top }: Tree, wanted: number): number {
  let [node, left, sum] = [0, wanted, 0];
  for (let step = top; step > 0; step >>= 1) {
    const next = node + step;
    const inside = counts[next];
    if (inside === undefined || inside > left) continue;
    node = next;
    left -= inside;
    sum += sums[next] ?? NaN;
  }
  return sum;
}
