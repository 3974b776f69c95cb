// Sizes as integers or as polynomials over named symbols, in one normal form: two sizes are equal for
// all values of their symbols when their keys are equal.
//
// Every symbol stands for a size of a run, a whole number of at least 0. What is not a polynomial
// (floor division, max, min) is an atom that behaves like a symbol. Division: dimension-division.ts;
// text: dimension-text.ts. The rules are in docs/methods/shape-inference.md.

/** The size of an axis, or an integer that sizes are computed from (which may be negative). */
export type Size = number | Expression;

/** A size that depends on symbols; a constant is always a plain number instead. */
export interface Expression {
  /** Sorted by degree, then by name; the constant comes last. */
  readonly terms: readonly Term[];
  /** Equal for equal expressions. */
  readonly key: string;
  /** How much there is of it: terms and atoms, at all depths. */
  readonly weight: number;
}

export interface Term {
  readonly coefficient: number;
  /** Sorted by key; a power is a repetition; none for the constant. */
  readonly factors: readonly Atom[];
}

export type Atom = (
  | { readonly kind: "symbol"; readonly name: string }
  | { readonly kind: "floor"; readonly numerator: Size; readonly denominator: Size }
  | { readonly kind: "max" | "min"; readonly operands: readonly Size[] }
) & { readonly key: string; readonly weight: number };

/** Larger expressions are not followed: graphs of real models stay below 40. */
const MAX_WEIGHT = 300;

/** A size grew beyond what is followed. */
export class SizeTooComplex extends Error {
  override readonly name = "SizeTooComplex";
}

/** Nothing can be divided by a size of 0. */
export class DivisionByZero extends Error {
  override readonly name = "DivisionByZero";
}

/** The size that a name stands for. */
export function symbol(name: string): Size {
  const key = /^[\w.:/]+$/.test(name) ? name : JSON.stringify(name);
  return ofAtom({ kind: "symbol", name, key, weight: 1 });
}

export function add(a: Size, b: Size): Size {
  if (typeof a === "number" && typeof b === "number") return a + b;
  return fromTerms([...termsOf(a), ...termsOf(b)]);
}

export const subtract = (a: Size, b: Size): Size => add(a, multiply(b, -1));

export function multiply(a: Size, b: Size): Size {
  // Adding 0 turns -0 into 0.
  if (typeof a === "number" && typeof b === "number") return a * b + 0;
  if (a === 1) return b;
  if (b === 1) return a;
  const left = termsOf(a);
  const right = termsOf(b);
  return fromTerms(
    left.flatMap((x) =>
      right.map((y) => ({
        coefficient: x.coefficient * y.coefficient,
        factors: sortedFactors([...x.factors, ...y.factors]),
      })),
    ),
  );
}

export function product(sizes: readonly Size[]): Size {
  return sizes.reduce<Size>(multiply, 1);
}

export function total(sizes: readonly Size[]): Size {
  return sizes.reduce<Size>(add, 0);
}

/** Whether two sizes are the same for all values of their symbols. */
export function sameSize(a: Size, b: Size): boolean {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a.key === b.key;
}

export function maximum(a: Size, b: Size): Size {
  if (typeof a === "number" && typeof b === "number") return Math.max(a, b);
  return extreme("max", a, b);
}

export function minimum(a: Size, b: Size): Size {
  if (typeof a === "number" && typeof b === "number") return Math.min(a, b);
  return extreme("min", a, b);
}

function extreme(kind: "max" | "min", a: Size, b: Size): Size {
  const [larger, smaller] = kind === "max" ? [a, b] : [b, a];
  if (leastValue(subtract(a, b)) >= 0) return larger;
  if (leastValue(subtract(b, a)) >= 0) return smaller;
  // Absorption: max(min(x, y), y) = y, and the other way round.
  if (operandsOf(a, kind === "max" ? "min" : "max")?.some((x) => sameSize(x, b))) return b;
  if (operandsOf(b, kind === "max" ? "min" : "max")?.some((x) => sameSize(x, a))) return a;
  const operands = new Map<string, Size>();
  for (const size of [...(operandsOf(a, kind) ?? [a]), ...(operandsOf(b, kind) ?? [b])]) {
    operands.set(keyOf(size), size);
  }
  const sorted = [...operands].sort(([x], [y]) => (x < y ? -1 : 1)).map(([, size]) => size);
  const key = `${kind}(${sorted.map(keyOf).join(", ")})`;
  return ofAtom({ kind, operands: sorted, key, weight: 1 + weightOf(sorted) });
}

/** The operands when a size is nothing but one `max` or `min`. */
function operandsOf(size: Size, kind: "max" | "min"): readonly Size[] | null {
  const atom = soleAtom(size);
  return atom !== null && atom.kind === kind ? atom.operands : null;
}

/** The atom when a size is nothing but it. */
export function soleAtom(size: Size): Atom | null {
  if (typeof size === "number") return null;
  const [term, ...others] = size.terms;
  const [atom, ...powers] = term?.factors ?? [];
  const sole = others.length === 0 && powers.length === 0 && term?.coefficient === 1;
  return sole && atom !== undefined ? atom : null;
}

/** A lower bound, with every symbol at least `symbolsFrom`; -Infinity when none is known. */
export function leastValue(size: Size, symbolsFrom: 0 | 1 = 0): number {
  if (typeof size === "number") return size;
  let least = 0;
  for (const { coefficient, factors } of size.terms) {
    if (factors.length > 0 && coefficient < 0) return -Infinity;
    const bounds = factors.map((atom) => leastAtom(atom, symbolsFrom));
    if (bounds.some((bound) => bound < 0)) return -Infinity;
    least += bounds.reduce((bound, factor) => bound * factor, coefficient);
  }
  return least;
}

function leastAtom(atom: Atom, symbolsFrom: 0 | 1): number {
  switch (atom.kind) {
    case "symbol":
      return symbolsFrom;
    case "floor": {
      const numerator = leastValue(atom.numerator, symbolsFrom);
      if (typeof atom.denominator === "number") return Math.floor(numerator / atom.denominator);
      return numerator >= 0 ? 0 : -Infinity;
    }
    case "max":
      return Math.max(...atom.operands.map((operand) => leastValue(operand, symbolsFrom)));
    case "min":
      return Math.min(...atom.operands.map((operand) => leastValue(operand, symbolsFrom)));
    default:
      return atom satisfies never;
  }
}

/** The names that a size depends on. */
export function symbolsOf(size: Size, into: Set<string> = new Set()): Set<string> {
  if (typeof size === "number") return into;
  for (const atom of size.terms.flatMap(({ factors }) => factors)) {
    if (atom.kind === "symbol") into.add(atom.name);
    else if (atom.kind === "floor") {
      symbolsOf(atom.numerator, into);
      symbolsOf(atom.denominator, into);
    } else for (const operand of atom.operands) symbolsOf(operand, into);
  }
  return into;
}

export function termsOf(size: Size): readonly Term[] {
  if (typeof size !== "number") return size.terms;
  return size === 0 ? [] : [{ coefficient: size, factors: [] }];
}

export const keyOf = (size: Size): string => (typeof size === "number" ? `${size}` : size.key);

export function ofAtom(atom: Atom): Size {
  return fromTerms([{ coefficient: 1, factors: [atom] }]);
}

export function weightOf(sizes: readonly Size[]): number {
  let weight = 0;
  for (const size of sizes) weight += typeof size === "number" ? 1 : size.weight;
  return weight;
}

function sortedFactors(factors: readonly Atom[]): readonly Atom[] {
  return factors.length < 2 ? factors : [...factors].sort((a, b) => (a.key < b.key ? -1 : 1));
}

const monomialKey = (factors: readonly Atom[]): string => factors.map(({ key }) => key).join("*");

/** Brings terms to the normal form. Throws SizeTooComplex for sizes that are not followed. */
export function fromTerms(terms: readonly Term[]): Size {
  const byMonomial = new Map<string, Term>();
  for (const term of terms) {
    const key = monomialKey(term.factors);
    const known = byMonomial.get(key);
    const coefficient = term.coefficient + (known?.coefficient ?? 0);
    // Beyond this whole numbers are no longer exact.
    if (Math.abs(coefficient) > Number.MAX_SAFE_INTEGER)
      throw new SizeTooComplex("a size beyond 2^53");
    byMonomial.set(key, { coefficient, factors: term.factors });
  }
  const entries = [...byMonomial].filter(([, { coefficient }]) => coefficient !== 0);
  const [only] = entries;
  if (only === undefined) return 0;
  if (entries.length === 1 && only[1].factors.length === 0) return only[1].coefficient;
  entries.sort(([a, x], [b, y]) => y.factors.length - x.factors.length || (a < b ? -1 : 1));
  const weight = entries.reduce(
    (sum, [, { factors }]) => sum + factors.reduce((atoms, atom) => atoms + atom.weight, 1),
    0,
  );
  if (weight > MAX_WEIGHT) throw new SizeTooComplex(`a size of more than ${MAX_WEIGHT} parts`);
  const key = entries.map(([monomial, term]) => `${term.coefficient}*${monomial}`).join(" + ");
  return { terms: entries.map(([, term]) => term), key, weight };
}
