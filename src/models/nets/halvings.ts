// How deep small networks are for small images: they halve until little more than a patch is left.

/** Fewest pixels a side that are worth halving: 28 ends at 7, 32 and 64 at 4. */
const LEAST = 8;

/** How often the small networks halve an image of this many pixels a side. */
export function halvings(size: number): number {
  let count = 0;
  for (let left = size; left >= LEAST; left = Math.floor(left / 2)) count++;
  return count;
}

/** Stride of the first layer of the small efficient networks, which bring 64 pixels to 32 at once. */
export const firstStride = (size: number): number => (size >= 48 ? 2 : 1);
