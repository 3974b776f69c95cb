// What an energy is made of: the components, and what it has beyond them (a facility's overhead).

import type { Card } from "../core/card.ts";
import { type Method, significant } from "../core/index.ts";
import { componentLabel } from "./headline.ts";

/** A part of an energy. */
export interface EnergyPart {
  readonly label: string;
  /** Index of the component; null for what no component has. */
  readonly component: number | null;
  /** Joules. */
  readonly value: number;
  readonly method: Method;
  readonly source: string;
  readonly fallbacks: readonly string[];
}

/** Sums that differ by less are the same: figures are rounded on their way. */
const TOLERANCE = 0.005;

/**
 * The parts of a card's gross or attributed energy, which add up to it; null when they cannot be
 * told, because a component lacks the figure or the components are more than the whole.
 */
export function energyParts(
  card: Card,
  boundary: "gross" | "attributed",
): readonly EnergyPart[] | null {
  const total = card.measures.energy?.[boundary];
  const parts = card.components.flatMap((component, index): readonly EnergyPart[] => {
    const figure = boundary === "gross" ? component.energy : component.attributed;
    if (figure === undefined) return [];
    const { value, method, fallbacks } = figure;
    const source = figure.source === "" ? component.provider : figure.source;
    const label = componentLabel(component);
    return [{ label, component: index, value, method, source, fallbacks }];
  });
  if (total === undefined || parts.length < card.components.length || parts.length === 0)
    return null;
  const sum = parts.reduce((result, { value }) => result + value, 0);
  const rest = total.value - sum;
  if (Math.abs(rest) <= TOLERANCE * total.value) return parts;
  if (rest < 0) return null;
  const remainder = { component: null, value: rest, method: total.method, fallbacks: [] };
  return [...parts, { ...remainder, ...nameOfRest(card, total.value / sum) }];
}

/** The overhead of the facility where that explains the rest, else no name at all. */
function nameOfRest({ boundary }: Card, factor: number): { label: string; source: string } {
  const { pue } = boundary;
  if (pue !== undefined && Math.abs(pue.value / factor - 1) <= TOLERANCE) {
    return { label: "facility", source: `PUE ${significant(pue.value)}, ${pue.source}` };
  }
  return { label: "the rest", source: "in no component" };
}
