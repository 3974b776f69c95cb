// A first budget for a project, from a run that it has: what is stable on the machine at hand, with
// room for a tenth more. Energy is budgeted where a sensor tells it; an estimate's interval is too wide
// to hold a build to, so CPU time stands for it there, and is called what it is.

import type { Card } from "../../core/card.ts";
import { UserError } from "../../core/index.ts";
import { BUDGET_SCHEMA, type BudgetFile, type Metric } from "./budget-file.ts";
import { figureOf } from "./metrics.ts";

const ROOM = 1.1;
const REPEATS = 5;

/** The budget file for runs like this one. Throws UserError when nothing of it can be budgeted. */
export function firstBudget(card: Card): BudgetFile {
  const energy = card.measures.energy?.[card.boundary.headline];
  const isSensed = energy?.method === "measured" || energy?.method === "sampled";
  const metrics: readonly Metric[] = [
    isSensed ? "energy_j" : "cpu_time_s",
    "model_size_bytes",
    "macs",
  ];
  const terms = { items: null, intensity: null };
  const budgets = metrics.flatMap((metric) => {
    const figure = figureOf(card, { ...terms, metric });
    if (typeof figure === "string" || figure.value <= 0) return [];
    return [
      {
        name: `${metric} of ${card.subject.name}`.slice(0, 200),
        runs: { name: card.subject.name },
        metric,
        limit: Number((figure.value * ROOM).toPrecision(3)),
        repeats: metric === "energy_j" || metric === "cpu_time_s" ? REPEATS : 1,
      },
    ];
  });
  if (budgets.length === 0) {
    throw new UserError("invalid-input", `run ${card.id} has nothing to budget`, {
      hint: "It has neither sensed energy nor CPU time nor a model (godwit run --model FILE).",
    });
  }
  const intensity = card.signal?.intensity.value;
  return {
    schema: BUDGET_SCHEMA,
    ...(intensity === undefined || intensity <= 0 ? {} : { intensity_gco2e_per_kwh: intensity }),
    budgets,
  };
}
