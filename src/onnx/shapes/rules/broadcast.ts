// Multidirectional broadcasting (onnx, docs/Broadcasting.md): axes are matched from the last one, and
// an axis of size 1 stretches.

import { leastValue, maximum, type Size, sameSize } from "../dimension.ts";
import { formatShape } from "../dimension-text.ts";
import type { Shape } from "../inferred-type.ts";
import { fault } from "../operation.ts";

/** The shape that all of them stretch to. Throws ShapeFault when they do not match. */
export function broadcast(...shapes: readonly Shape[]): Shape {
  const [first = [], ...others] = shapes;
  return others.reduce<Shape>((a, b) => {
    const rank = Math.max(a.length, b.length);
    return Array.from({ length: rank }, (_, axis) => {
      const left = a[axis - rank + a.length] ?? 1;
      const right = b[axis - rank + b.length] ?? 1;
      return (
        broadcastSize(left, right) ??
        fault(`${formatShape(a)} and ${formatShape(b)} do not broadcast`)
      );
    });
  }, first);
}

/** Null when the two sizes do not match. */
export function broadcastSize(a: Size, b: Size): Size | null {
  if (sameSize(a, b) || b === 1) return a;
  if (a === 1) return b;
  if (typeof a === "number") return typeof b === "number" ? null : decided(a, b);
  if (typeof b === "number") return decided(b, a);
  // Both are equal or one of them is 1, so the larger one is the result in every run that succeeds.
  return maximum(a, b);
}

/** A number other than 1 decides, unless the other size can never match it. */
function decided(number: number, size: Size): Size | null {
  const least = leastValue(size);
  return least > number && least > 1 ? null : number;
}
