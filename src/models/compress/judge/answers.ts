// What a model says of one sample, as one reads it.

import type { TensorValue } from "../../../engine/index.ts";

/** A sample's answer: its text, its number, or its most likely class; null for answers of many numbers. */
export function answerText({ data, dims }: TensorValue, row: number): string | null {
  const size = data.length / (dims[0] ?? 1);
  const own: readonly unknown[] = Array.from(data as ArrayLike<unknown>).slice(
    row * size,
    (row + 1) * size,
  );
  const [only] = own;
  if (own.length === 1) return typeof only === "number" ? only.toPrecision(4) : String(only);
  if (dims.length > 2) return null;
  const numbers = own.map(Number);
  return `class ${numbers.indexOf(Math.max(...numbers))}`;
}
