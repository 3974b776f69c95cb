// Which of a card's figures is the answer, and all of its figures in one list.

import type { Card } from "../core/card.ts";
import type { AnyFigure, Figure } from "../core/index.ts";

export type Boundary = Card["boundary"]["headline"];

/** The energy that carries the emissions. */
export interface HeadlineEnergy {
  readonly boundary: Boundary;
  readonly figure: Figure<"J">;
}

/** What each boundary includes, in a few words. */
export const BOUNDARY_MEANING: Readonly<Record<Boundary, string>> = {
  gross: "all that the machine used meanwhile",
  net: "the subject's share of active energy, without idle",
  attributed: "net and the subject's share of idle",
};

/** The headline energy of a card; gross when the stated one is missing, null when nothing is known. */
export function headlineEnergy(card: Card): HeadlineEnergy | null {
  const { energy } = card.measures;
  if (energy === undefined) return null;
  const stated = energy[card.boundary.headline];
  if (stated !== undefined) return { boundary: card.boundary.headline, figure: stated };
  return { boundary: "gross", figure: energy.gross };
}

/** One figure of a card and what it is of. */
export interface NamedFigure {
  /** Stable name with the unit left out, such as `energy_gross` or `cpu_package_0_energy`. */
  readonly key: string;
  readonly label: string;
  readonly group: "measure" | "component" | "span" | "boundary" | "signal";
  readonly figure: AnyFigure;
}

/** Every figure of a card, in reading order. */
export function figuresOf(card: Card): readonly NamedFigure[] {
  return [
    ...measureFigures(card),
    ...componentFigures(card),
    ...spanFigures(card),
    ...contextFigures(card),
  ];
}

type Row = readonly [key: string, label: string, figure: AnyFigure | undefined];

const named = (group: NamedFigure["group"], rows: readonly Row[]): readonly NamedFigure[] =>
  rows.flatMap(([key, label, figure]) =>
    figure === undefined ? [] : [{ key, label, group, figure }],
  );

function measureFigures({ measures }: Card): readonly NamedFigure[] {
  const { cost, energy, power, operations } = measures;
  return named("measure", [
    ["duration", "running time", measures.duration],
    ["energy_gross", "energy, gross", energy?.gross],
    ["energy_net", "energy, net", energy?.net],
    ["energy_attributed", "energy, attributed", energy?.attributed],
    ["power_mean", "mean power", power?.mean],
    ["power_peak", "peak power", power?.peak],
    ["emissions", "emissions", measures.emissions],
    ["embodied", "embodied emissions", measures.embodied],
    ["water", "water", measures.water],
    ["cost_electricity", costLabel("electricity", cost?.electricity), cost?.electricity?.amount],
    ["cost_carbon", costLabel("carbon", cost?.carbon), cost?.carbon?.amount],
    ["cpu_time", "CPU time", measures.cpuTime],
    ["saved_per_use", "energy saved by a use of the result", measures.savedPerUse],
    ["paid_back_after", "uses that pay the work back", measures.paidBackAfter],
    ["model_size", "model size", measures.modelSize],
    ["model", "parameters", measures.parameters],
    ["operations", "multiply-accumulates", operations?.macs],
    ["operations", "floating-point operations", operations?.flops],
  ]);
}

const costLabel = (kind: string, money: { readonly currency: string } | undefined): string =>
  `cost of ${kind}, ${money?.currency}`;

function componentFigures({ components }: Card): readonly NamedFigure[] {
  return components.flatMap((component) => {
    const label = componentLabel(component);
    const key = `${component.domain}_${component.device}`.toLowerCase().replace(/[^a-z0-9]+/g, "_");
    return named("component", [
      [`${key}_energy`, `${label}, energy`, component.energy],
      [`${key}_energy_attributed`, `${label}, attributed energy`, component.attributed],
      [`${key}_power_mean`, `${label}, mean power`, component.meanPower],
      [`${key}_power_peak`, `${label}, peak power`, component.peakPower],
      [`${key}_utilisation`, `${label}, utilisation`, component.utilisation],
    ]);
  });
}

function spanFigures({ spans }: Card): readonly NamedFigure[] {
  return spans.flatMap((span, index) =>
    named("span", [[`span_${index}_energy`, `span ${span.name}, energy`, span.energy]]),
  );
}

function contextFigures({ boundary, signal }: Card): readonly NamedFigure[] {
  return [
    ...named("boundary", [["pue", "PUE", boundary.pue]]),
    ...named("signal", [["carbon_intensity", "carbon intensity", signal?.intensity]]),
  ];
}

/** `cpu package-0`; the domain alone when the device says no more. */
export function componentLabel({ domain, device }: { domain: string; device: string }): string {
  return device === "" || device === domain ? domain : `${domain} ${device}`;
}
