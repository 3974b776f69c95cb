// The measures that two cards are compared by, and what of the boundary each depends on.

import type { Card } from "../../core/card.ts";
import type { AnyFigure, Unit } from "../../core/index.ts";

/** One comparable measure of a card. */
export interface Measure {
  /** Stable name without the unit. */
  readonly key: string;
  readonly label: string;
  readonly unit: Unit;
  /** `less`: less of it is better. `neither`: a difference is just that. */
  readonly better: "less" | "neither";
  /** `counted`: the same at every repeat. `timed`: differs from run to run. */
  readonly nature: "counted" | "timed";
  /** Which parts of the boundary must agree for the measure to mean the same. */
  readonly rests: "nothing" | "run" | "scope" | "emissions";
  readonly of: (card: Card) => AnyFigure | undefined;
}

const energy = (boundary: "gross" | "net" | "attributed"): Measure => ({
  key: `energy_${boundary}`,
  label: `energy, ${boundary}`,
  unit: "J",
  better: "less",
  nature: "timed",
  rests: "scope",
  of: ({ measures }) => measures.energy?.[boundary],
});

const counted = (
  key: string,
  label: string,
  unit: Unit,
  of: (card: Card) => AnyFigure | undefined,
): Measure => ({ key, label, unit, better: "less", nature: "counted", rests: "nothing", of });

/** In the order in which they are shown. */
export const MEASURES: readonly Measure[] = [
  energy("attributed"),
  energy("net"),
  energy("gross"),
  {
    key: "emissions",
    label: "emissions",
    unit: "gCO2e",
    better: "less",
    nature: "timed",
    rests: "emissions",
    of: ({ measures }) => measures.emissions,
  },
  {
    key: "duration",
    label: "running time",
    unit: "s",
    better: "less",
    nature: "timed",
    rests: "run",
    of: ({ measures }) => measures.duration,
  },
  {
    key: "cpu_time",
    label: "CPU time",
    unit: "s",
    better: "less",
    nature: "timed",
    rests: "run",
    of: ({ measures }) => measures.cpuTime,
  },
  {
    key: "power_mean",
    label: "mean power",
    unit: "W",
    better: "neither",
    nature: "timed",
    rests: "scope",
    of: ({ measures }) => measures.power?.mean,
  },
  {
    key: "power_peak",
    label: "peak power",
    unit: "W",
    better: "neither",
    nature: "timed",
    rests: "scope",
    of: ({ measures }) => measures.power?.peak,
  },
  {
    key: "embodied",
    label: "embodied emissions",
    unit: "gCO2e",
    better: "less",
    nature: "timed",
    rests: "run",
    of: ({ measures }) => measures.embodied,
  },
  {
    key: "water",
    label: "water",
    unit: "L",
    better: "less",
    nature: "timed",
    rests: "scope",
    of: ({ measures }) => measures.water,
  },
  counted("model_size", "model size", "B", ({ measures }) => measures.modelSize),
  counted("parameters", "parameters", "parameters", ({ measures }) => measures.parameters),
  counted("macs", "multiply-accumulates", "MAC", ({ measures }) => measures.operations?.macs),
  counted("flops", "operations", "FLOP", ({ measures }) => measures.operations?.flops),
];

/** A measure's figures over cards, without the cards that lack it. */
export function figuresOf({ of }: Measure, cards: readonly Card[]): readonly AnyFigure[] {
  return cards.map(of).filter((figure) => figure !== undefined);
}
