// Sizes as people write them: `batch*seq`, `2*past + 1`, `ceil(W/8)`.

import { type Atom, fromTerms, type Size, subtract, type Term, termsOf } from "./dimension.ts";

export function formatSize(size: Size): string {
  if (typeof size === "number") return `${size}`;
  // A sum reads better when it does not start with a minus.
  const terms = [...size.terms].sort(
    (a, b) => Number(a.coefficient < 0) - Number(b.coefficient < 0),
  );
  return terms
    .map((term, index) => {
      const text = formatTerm({ ...term, coefficient: Math.abs(term.coefficient) });
      if (index === 0) return term.coefficient < 0 ? `-${text}` : text;
      return term.coefficient < 0 ? ` - ${text}` : ` + ${text}`;
    })
    .join("");
}

/** A shape such as `[batch, 3, ceil(W/2)]`; `[?]` when not even its rank is known. */
export function formatShape(shape: readonly Size[] | null): string {
  return shape === null ? "[?]" : `[${shape.map(formatSize).join(", ")}]`;
}

function formatTerm({ coefficient, factors }: Term): string {
  const powers = new Map<string, number>();
  for (const atom of factors) {
    const text = formatAtom(atom);
    powers.set(text, (powers.get(text) ?? 0) + 1);
  }
  const parts = [...powers].map(([text, power]) => (power === 1 ? text : `${text}^${power}`));
  if (coefficient !== 1 || parts.length === 0) parts.unshift(`${coefficient}`);
  return parts.join("*");
}

function formatAtom(atom: Atom): string {
  switch (atom.kind) {
    case "symbol":
      return atom.name;
    case "floor":
      return formatFloor(atom.numerator, atom.denominator);
    case "max":
    case "min":
      return `${atom.kind}(${atom.operands.map(formatSize).join(", ")})`;
    default:
      return atom satisfies never;
  }
}

/** floor((x + n - 1)/n) is what people call ceil(x/n). */
function formatFloor(numerator: Size, denominator: Size): string {
  const constant = termsOf(numerator).find(({ factors }) => factors.length === 0)?.coefficient ?? 0;
  const up = typeof denominator === "number" && constant === denominator - 1;
  const top = up
    ? subtract(numerator, fromTerms([{ coefficient: constant, factors: [] }]))
    : numerator;
  return `${up ? "ceil" : "floor"}(${parenthesised(top, 1)}/${parenthesised(denominator, 0)})`;
}

/** In brackets unless it is one term, and for a divisor one factor. */
function parenthesised(size: Size, factors: 0 | 1): string {
  const text = formatSize(size);
  if (typeof size === "number") return text;
  const [term, ...others] = size.terms;
  const parts = (term?.factors.length ?? 0) + (term?.coefficient === 1 ? 0 : 1);
  return others.length > 0 || (factors === 0 && parts > 1) ? `(${text})` : text;
}
