// Division of sizes, rounded down or up, in the normal form of dimension.ts.
//
// By a number n, in this order: whole multiples of n leave the fraction, so that what remains has
// coefficients in [0, n); common factors cancel; nested floors merge, for floor((floor(x/m) + r)/n) =
// floor((x + m*r)/(m*n)) with whole r and m, n > 0 (Graham, Knuth, Patashnik, "Concrete Mathematics",
// 2nd ed. 1994, equation 3.11). So three convolutions of kernel 3, padding 1, stride 2 give ceil(W/8).

import {
  type Atom,
  add,
  DivisionByZero,
  fromTerms,
  keyOf,
  maximum,
  minimum,
  multiply,
  ofAtom,
  type Size,
  subtract,
  symbol,
  type Term,
  termsOf,
  weightOf,
} from "./dimension.ts";

/** a / b rounded towards minus infinity. Throws DivisionByZero. */
export function floorDivide(a: Size, b: Size): Size {
  if (b === 0) throw new DivisionByZero("a size is divided by 0");
  if (typeof b !== "number") return divideBySize(a, b);
  if (b < 0) return floorDivide(multiply(a, -1), -b);
  if (typeof a === "number") return Math.floor(a / b);
  return divideByNumber(a, b);
}

/** a / b rounded towards plus infinity. */
export function ceilDivide(a: Size, b: Size): Size {
  if (typeof b !== "number") return floorDivide(subtract(add(a, b), 1), b);
  if (b < 0) return ceilDivide(multiply(a, -1), -b);
  return floorDivide(add(a, b - 1), b);
}

/** Whole part of a size whose coefficients may be fractions of up to 1/64; null beyond those. */
export function floorOf(size: Size): Size | null {
  if (typeof size === "number") return Math.floor(size);
  const fraction = fractionOf(size.terms);
  return fraction === null ? null : floorDivide(...fraction);
}

/** As `floorOf`, rounded up. */
export function ceilOf(size: Size): Size | null {
  if (typeof size === "number") return Math.ceil(size) + 0;
  const fraction = fractionOf(size.terms);
  return fraction === null ? null : ceilDivide(...fraction);
}

/** Numerator and denominator, both with whole coefficients. */
function fractionOf(terms: readonly Term[]): [Size, number] | null {
  const denominator = commonDenominator(terms.map(({ coefficient }) => coefficient));
  if (denominator === null) return null;
  const whole = terms.map(({ coefficient, factors }) => ({
    coefficient: Math.round(coefficient * denominator),
    factors,
  }));
  return [fromTerms(whole), denominator];
}

function commonDenominator(values: readonly number[]): number | null {
  for (let denominator = 1; denominator <= 64; denominator++) {
    // A third that was stored as a float32 is off by up to 2^-25 of its value.
    const whole = (value: number): boolean =>
      Math.abs(value * denominator - Math.round(value * denominator)) <=
      Math.abs(value * denominator) * 2 ** -24;
    if (values.every(whole)) return denominator;
  }
  return null;
}

function divideByNumber(a: Size, n: number): Size {
  const quotient: Term[] = [];
  const rest: Term[] = [];
  for (const { coefficient, factors } of termsOf(a)) {
    const whole = Math.floor(coefficient / n);
    quotient.push({ coefficient: whole, factors });
    rest.push({ coefficient: coefficient - whole * n, factors });
  }
  return add(fromTerms(quotient), reducedFloor(fromTerms(rest), n));
}

/** floor(a/n) for coefficients in [0, n). */
function reducedFloor(a: Size, n: number): Size {
  if (typeof a === "number") return Math.floor(a / n);
  const divisor = a.terms.reduce(
    (common, { coefficient, factors }) =>
      factors.length === 0 ? common : greatestCommonDivisor(common, coefficient),
    n,
  );
  if (divisor > 1) {
    const reduced = a.terms.map(({ coefficient, factors }) => ({
      coefficient: Math.floor(coefficient / divisor),
      factors,
    }));
    return floorDivide(fromTerms(reduced), n / divisor);
  }
  const nested = nestedFloor(a.terms);
  if (nested !== null) {
    const { inner, others } = nested;
    return floorDivide(
      add(inner.numerator, multiply(others, inner.denominator)),
      n * inner.denominator,
    );
  }
  return floorAtom(a, n);
}

interface NestedFloor {
  readonly inner: { readonly numerator: Size; readonly denominator: number };
  readonly others: Size;
}

/** The first term that is nothing but a floor by a number, and the sum of the others. */
function nestedFloor(terms: readonly Term[]): NestedFloor | null {
  for (const term of terms) {
    const [atom, ...powers] = term.factors;
    if (term.coefficient !== 1 || powers.length > 0 || atom?.kind !== "floor") continue;
    const { numerator, denominator } = atom;
    if (typeof denominator !== "number") continue;
    const others = fromTerms(terms.filter((other) => other !== term));
    return { inner: { numerator, denominator }, others };
  }
  return null;
}

function divideBySize(a: Size, b: Exclude<Size, number>): Size {
  const exact = exactQuotient(a, b);
  if (exact !== null) return exact;
  const [divisor, ...others] = b.terms;
  if (divisor === undefined || others.length > 0) return floorAtom(a, b);
  const quotient: Term[] = [];
  const rest: Term[] = [];
  for (const term of termsOf(a)) {
    const part = dividedTerm(term, divisor);
    if (part === null) rest.push(term);
    else quotient.push(part);
  }
  const remaining = fromTerms(rest);
  const fraction = remaining === 0 ? 0 : withoutCommonFactors(remaining, divisor);
  return add(fromTerms(quotient), fraction);
}

/** floor(a/divisor) after cancelling what both share; sizes are not zero where they divide. */
function withoutCommonFactors(a: Size, divisor: Term): Size {
  const terms = termsOf(a);
  let common = divisor.factors;
  for (const { factors } of terms) common = sharedFactors(common, factors);
  const number = terms.reduce(
    (shared, { coefficient }) => greatestCommonDivisor(shared, Math.abs(coefficient)),
    Math.abs(divisor.coefficient),
  );
  const shared: Term = { coefficient: number, factors: common };
  if (number === 1 && common.length === 0) return floorAtom(a, fromTerms([divisor]));
  const reduced = [...terms, divisor].map((term) => dividedTerm(term, shared) ?? term);
  return floorDivide(fromTerms(reduced.slice(0, -1)), fromTerms(reduced.slice(-1)));
}

/** a / b when b divides a as a polynomial with whole coefficients, else null. */
export function exactQuotient(a: Size, b: Size): Size | null {
  if (b === 0) return null;
  const [leading] = termsOf(b);
  if (leading === undefined) return null;
  let rest = a;
  let quotient: Size = 0;
  // Each step removes the leading term for good, in an order that multiplication keeps.
  for (let step = 0; step < 64 && rest !== 0; step++) {
    const [top] = termsOf(rest);
    const part = top === undefined ? null : dividedTerm(top, leading);
    if (part === null) return null;
    const piece = fromTerms([part]);
    quotient = add(quotient, piece);
    rest = subtract(rest, multiply(piece, b));
  }
  return rest === 0 ? quotient : null;
}

function dividedTerm(term: Term, divisor: Term): Term | null {
  const coefficient = term.coefficient / divisor.coefficient;
  if (!Number.isInteger(coefficient)) return null;
  const factors = [...term.factors];
  for (const { key } of divisor.factors) {
    const index = factors.findIndex((factor) => factor.key === key);
    if (index < 0) return null;
    factors.splice(index, 1);
  }
  return { coefficient, factors };
}

function sharedFactors(a: readonly Atom[], b: readonly Atom[]): readonly Atom[] {
  const left = [...b];
  return a.filter(({ key }) => {
    const index = left.findIndex((factor) => factor.key === key);
    if (index >= 0) left.splice(index, 1);
    return index >= 0;
  });
}

function floorAtom(numerator: Size, denominator: Size): Size {
  const key = `floor((${keyOf(numerator)})/(${keyOf(denominator)}))`;
  const weight = 1 + weightOf([numerator, denominator]);
  return ofAtom({ kind: "floor", numerator, denominator, key, weight });
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The size with symbols replaced, such as `{ batch: 2 }`; a number once all are. */
export function substitute(size: Size, bindings: Readonly<Record<string, Size>>): Size {
  if (typeof size === "number") return size;
  let sum: Size = 0;
  for (const { coefficient, factors } of size.terms) {
    let term: Size = coefficient;
    for (const atom of factors) term = multiply(term, substituteAtom(atom, bindings));
    sum = add(sum, term);
  }
  return sum;
}

function substituteAtom(atom: Atom, bindings: Readonly<Record<string, Size>>): Size {
  switch (atom.kind) {
    case "symbol":
      return Object.hasOwn(bindings, atom.name) ? (bindings[atom.name] ?? 0) : symbol(atom.name);
    case "floor":
      return floorDivide(
        substitute(atom.numerator, bindings),
        substitute(atom.denominator, bindings),
      );
    case "max":
      return atom.operands.map((size) => substitute(size, bindings)).reduce(maximum);
    case "min":
      return atom.operands.map((size) => substitute(size, bindings)).reduce(minimum);
    default:
      return atom satisfies never;
  }
}
