// How much there is of something when it may hang on a branch: the least and the most, each a number
// or an expression over sizes that were not chosen yet.

import {
  addSizes,
  formatSize,
  maximumSize,
  minimumSize,
  multiplySizes,
  type Size,
  sameSize,
} from "../../onnx/index.ts";
import { SizeTooComplex } from "../../onnx/shapes/dimension.ts";

/** A count between two bounds, which are equal unless the model branches. */
export interface Amount {
  readonly least: Size;
  readonly most: Size;
}

export const exactly = (size: Size): Amount => ({ least: size, most: size });

export const NOTHING: Amount = exactly(0);

export const isExact = ({ least, most }: Amount): boolean => sameSize(least, most);

export function plus(a: Amount, b: Amount): Amount {
  if (a === NOTHING) return b;
  if (b === NOTHING) return a;
  const least = addSizes(a.least, b.least);
  return isExact(a) && isExact(b) ? exactly(least) : { least, most: addSizes(a.most, b.most) };
}

export function times(amount: Amount, factor: Size): Amount {
  if (factor === 1) return amount;
  const least = multiplySizes(amount.least, factor);
  return isExact(amount) ? exactly(least) : { least, most: multiplySizes(amount.most, factor) };
}

/** One or the other: the smaller of the least, the larger of the most. */
export const either = (a: Amount, b: Amount): Amount => ({
  least: minimumSize(a.least, b.least),
  most: maximumSize(a.most, b.most),
});

/** The number when nothing is open; else null. */
export const numberOf = (amount: Amount): number | null =>
  typeof amount.least === "number" && isExact(amount) ? amount.least : null;

/** `batch*3072`, or `10 to 20` where the model branches. */
export const formatAmount = (amount: Amount): string =>
  isExact(amount)
    ? formatSize(amount.least)
    : `${formatSize(amount.least)} to ${formatSize(amount.most)}`;

/** What sizes give, or null for expressions that are not followed any further. */
export function unlessTooComplex<T>(compute: () => T): T | null {
  try {
    return compute();
  } catch (error) {
    if (error instanceof SizeTooComplex) return null;
    throw error;
  }
}
