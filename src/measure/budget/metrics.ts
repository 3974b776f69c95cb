// What a metric of a budget is on a card, and which row of a comparison stands for it.

import type { Card } from "../../core/card.ts";
import {
  type AnyFigure,
  exact,
  JOULES_PER_KILOWATT_HOUR,
  product,
  scaled,
  type Unit,
} from "../../core/index.ts";
import type { Metric } from "./budget-file.ts";

/** How a budget counts, beside its metric. */
export interface Terms {
  readonly metric: Metric;
  /** Of one run; null: the samples of its quality. */
  readonly items: number | null;
  /** gCO2e/kWh, fixed; null without a budget of emissions. */
  readonly intensity: number | null;
}

export const UNIT_OF: Readonly<Record<Metric, Unit>> = {
  energy_j: "J",
  energy_per_item_j: "J",
  emissions_gco2e: "gCO2e",
  emissions_per_item_gco2e: "gCO2e",
  duration_s: "s",
  cpu_time_s: "s",
  model_size_bytes: "B",
  macs: "MAC",
  flops: "FLOP",
};

/** Counts are the same at every repeat. */
export const COUNTED: ReadonlySet<Metric> = new Set(["model_size_bytes", "macs", "flops"]);

/** Stands for energy where nothing measures it; no budget of joules. */
export const PROXIES: ReadonlySet<Metric> = new Set([
  "duration_s",
  "cpu_time_s",
  "model_size_bytes",
  "macs",
  "flops",
]);

/** The metric's figure, or why the card has none. */
export function figureOf(card: Card, terms: Terms): AnyFigure | string {
  const { measures } = card;
  switch (terms.metric) {
    case "energy_j":
    case "energy_per_item_j":
    case "emissions_gco2e":
    case "emissions_per_item_gco2e":
      return energyBased(card, terms);
    case "duration_s":
      return measures.duration;
    case "cpu_time_s":
      return measures.cpuTime ?? "its CPU time is not known";
    case "model_size_bytes":
      return measures.modelSize ?? "its model's size is not known (godwit run --model FILE)";
    case "macs":
      return measures.operations?.macs ?? "its multiply-accumulates are not known";
    case "flops":
      return measures.operations?.flops ?? "its operations are not known";
    default:
      return terms.metric satisfies never;
  }
}

function energyBased(card: Card, terms: Terms): AnyFigure | string {
  const adapted = perItem(card, terms);
  if (typeof adapted === "string") return adapted;
  const energy = adapted.measures.energy?.[adapted.boundary.headline];
  if (energy === undefined) return "no energy was measured or estimated";
  if (!terms.metric.startsWith("emissions")) return energy;
  const intensity = exact("gCO2e/kWh", terms.intensity ?? Number.NaN, {
    method: "declared",
    source: "the budget's fixed intensity",
  });
  return product("gCO2e", [energy, intensity], {
    source: `${energy.source} at the budget's fixed intensity`,
    scale: 1 / JOULES_PER_KILOWATT_HOUR,
  });
}

/** The card with its energies divided by its items, or why they are not known. */
export function perItem(card: Card, { metric, items }: Terms): Card | string {
  if (!metric.includes("per_item")) return card;
  const count = items ?? card.quality?.samples ?? 0;
  if (count <= 0) return "how many items it had is not known (set items in the budget)";
  const { energy } = card.measures;
  if (energy === undefined) return card;
  const { gross, net, attributed } = energy;
  const divided = {
    ...energy,
    gross: scaled(gross, 1 / count),
    ...(net === undefined ? {} : { net: scaled(net, 1 / count) }),
    ...(attributed === undefined ? {} : { attributed: scaled(attributed, 1 / count) }),
  };
  return { ...card, measures: { ...card.measures, energy: divided } };
}

/** Key of the row of a comparison; at a fixed intensity emissions are as energies are. */
export function comparisonKey(metric: Metric, headline: string): string {
  switch (metric) {
    case "energy_j":
    case "energy_per_item_j":
    case "emissions_gco2e":
    case "emissions_per_item_gco2e":
      return `energy_${headline}`;
    case "duration_s":
      return "duration";
    case "cpu_time_s":
      return "cpu_time";
    case "model_size_bytes":
      return "model_size";
    case "macs":
    case "flops":
      return metric;
    default:
      return metric satisfies never;
  }
}
