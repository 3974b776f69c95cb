// Sums over runs. Errors of different sources are independent and are drawn; those of one source (the
// same model on every node, the same grid's intensity) are common to all, so bounds add up.

import { combinedMethod, type Figure, figure, sum, type Unit } from "../../core/index.ts";

/** Sum of figures of one unit. Throws RangeError when there are none. */
export function addFigures<U extends Unit>(
  unit: U,
  parts: readonly Figure<U>[],
  source: string,
): Figure<U> {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const bySource = new Map<string, Figure<U>[]>();
  for (const part of parts) {
    bySource.set(part.source, [...(bySource.get(part.source) ?? []), part]);
  }
  const [first, ...others] = [...bySource.values()].map((group) => addCommon(unit, group));
  if (first === undefined) throw new RangeError("sum of no figures");
  return others.length === 0 ? first : sum(unit, [first, ...others], { source });
}

/** Figures of one source, whose errors go the same way. */
function addCommon<U extends Unit>(unit: U, parts: readonly Figure<U>[]): Figure<U> {
  const total = (of: (part: Figure<U>) => number): number =>
    parts.reduce((result, part) => result + of(part), 0);
  const bounds = { low: total(({ low }) => low), high: total(({ high }) => high) };
  return figure(
    unit,
    total(({ value }) => value),
    bounds,
    {
      method: combinedMethod(parts.map(({ method }) => method)),
      source: parts[0]?.source ?? "",
      fallbacks: [...new Set(parts.flatMap(({ fallbacks }) => fallbacks))],
    },
  );
}
