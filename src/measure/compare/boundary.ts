// Are two sets of cards about the same thing? What makes a comparison meaningless is refused for the
// measures it touches; what merely mixes in another cause is said.

import type { Card } from "../../core/card.ts";
import type { Measure } from "./measures.ts";

/** Why measures cannot be compared; null where they can. */
export type Refusals = Readonly<Record<Measure["rests"], string | null>>;

/** Both sets of cards. */
export interface Sides {
  readonly baseline: readonly Card[];
  readonly candidate: readonly Card[];
}

/** The values that a property takes over cards, in order of appearance. */
function valuesOf(cards: readonly Card[], of: (card: Card) => string): readonly string[] {
  return [...new Set(cards.map(of))];
}

/** `a against b` when a property differs between or within the sides; null when it is one value. */
function mixture({ baseline, candidate }: Sides, of: (card: Card) => string): string | null {
  if (valuesOf([...baseline, ...candidate], of).length === 1) return null;
  const said = (cards: readonly Card[]): string => valuesOf(cards, of).join(" and ");
  return `${said(baseline)} against ${said(candidate)}`;
}

/** Reasons that forbid comparing, by what a measure rests on. */
export function refusals(sides: Sides): Refusals {
  const interrupted = [...sides.baseline, ...sides.candidate].find(
    ({ status }) => status === "interrupted",
  );
  const partial =
    interrupted === undefined ? null : `${interrupted.id} was interrupted: it is a part of a run`;
  const scope = mixture(sides, ({ boundary }) => boundary.scope);
  const headline = mixture(sides, ({ boundary }) => boundary.headline);
  const kind = mixture(sides, ({ signal }) => signal?.kind ?? "no");
  const basis = mixture(sides, ({ signal }) => signal?.basis ?? "no");
  const chain = mixture(sides, ({ signal }) => signal?.scope ?? "no");
  const ofEnergy = partial ?? (scope && `unlike boundaries: ${scope}`);
  return {
    nothing: null,
    run: partial,
    scope: ofEnergy,
    emissions:
      ofEnergy ??
      (headline && `emissions of unlike energies: ${headline}`) ??
      (kind && `unlike signals: ${kind} intensity`) ??
      (basis && `unlike signals: ${basis} based`) ??
      (chain && `unlike signals: ${chain} emissions`),
  };
}

/** What else differs and would be taken for a saving: sentences for the reader. */
export function warnings(sides: Sides): readonly string[] {
  const all = [...sides.baseline, ...sides.candidate];
  const failed = all.filter(({ status }) => status === "failed").map(({ id }) => id);
  const machine = mixture(sides, ({ machine: { id, cpu } }) => `${cpu.name} (${id.slice(0, 8)})`);
  const grid = mixture(sides, gridOf);
  const idle = mixture(sides, ({ boundary }) => boundary.idlePolicy);
  const pue = mixture(sides, ({ boundary }) => String(boundary.pue?.value ?? "none"));
  const provider = mixture(sides, (card) => energyMethods(card));
  return [
    failed.length > 0 && `Failed runs are among them: ${failed.join(", ")}.`,
    machine && `Different machines: ${machine}. A difference may be theirs.`,
    provider && `Energy was obtained differently: ${provider}.`,
    grid && `Different grids: ${grid}. A difference in emissions may be theirs.`,
    pue && `Different PUE: ${pue}.`,
    idle && `Idle energy was shared out differently: ${idle}.`,
  ].filter((warning) => typeof warning === "string");
}

function gridOf({ signal }: Card): string {
  if (signal === undefined) return "none";
  return `${signal.zone} ${signal.year ?? "?"} at ${signal.intensity.value} gCO2e/kWh`;
}

function energyMethods({ measures, boundary }: Card): string {
  return measures.energy?.[boundary.headline]?.method ?? "no energy";
}
