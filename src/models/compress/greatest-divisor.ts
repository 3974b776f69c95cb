/** The greatest common divisor of two whole numbers (Euclid). */
export function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
