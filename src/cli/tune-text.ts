// What `godwit tune` prints: a line for each run as it ends, then the best, the front, and what it all cost.

import type { Card } from "../core/card.ts";
import { formatFigure, formatQuantity, joules, significant } from "../core/index.ts";
import type { ChoiceValue, Outcome, SearchResult } from "../models/search/index.ts";
import { ranked } from "../models/search/index.ts";
import { headlineEnergy } from "../report/index.ts";
import { textTable } from "./text-table.ts";
import type { TunePlan } from "./tune-options.ts";
import { wholeResource } from "./tune-worker.ts";

/** Everything that is told at the end of a search. */
export interface ToldTune {
  readonly id: string;
  readonly plan: TunePlan;
  readonly command: readonly string[];
  readonly result: SearchResult;
  /** Of the whole search. */
  readonly card: Card | null;
  readonly notes: readonly string[];
}

const settings = ({ config }: Outcome): string =>
  Object.entries(config)
    .map(([name, value]) => `${name}=${shown(value)}`)
    .join(" ");

/** Whole numbers and texts as they are. */
const shown = (value: ChoiceValue): string =>
  typeof value === "number" && !Number.isInteger(value) ? significant(value) : String(value);

const valueText = ({ value }: Outcome): string =>
  value === null ? "failed" : significant(value, 4);

const energyText = ({ joules: used }: Outcome): string =>
  used === null ? "?" : formatQuantity(joules(used), "J");

/** One run that has ended, and the best so far. */
export function outcomeLine(
  outcome: Outcome,
  all: readonly Outcome[],
  { goal, metric }: TunePlan,
): string {
  // On a front there is no single best.
  const top = goal.energy?.role === "front" ? undefined : ranked(goal, all)[0];
  const best =
    top === undefined || top.value === null ? "" : `  best ${valueText(top)} (#${top.trial})`;
  const { trial, resource } = outcome;
  const what = outcome.value === null ? valueText(outcome) : `${metric} ${valueText(outcome)}`;
  return `#${trial} @${wholeResource(resource)}  ${what}  ${energyText(outcome)}  ${settings(outcome)}${best}\n`;
}

/** The end of a search for people. */
export function tuneText({ plan, result, card }: ToldTune, width: number): string {
  const { best, front, outcomes } = result;
  const rows = plan.goal.energy?.role === "front" ? front : ranked(plan.goal, outcomes).slice(0, 5);
  const table = textTable(
    [
      { title: "RUN" },
      { title: "RESOURCE", align: "right" },
      { title: plan.metric.toUpperCase(), align: "right" },
      { title: "ENERGY", align: "right" },
      { title: "SETTINGS", flexible: true },
    ],
    rows.map((row) => [
      `#${row.trial}`,
      String(wholeResource(row.resource)),
      valueText(row),
      energyText(row),
      settings(row),
    ]),
    width,
  );
  return `${[...table, ...costLines({ best, card, result })].join("\n")}\n`;
}

function costLines(of: {
  readonly best: Outcome | null;
  readonly card: Card | null;
  readonly result: SearchResult;
}): readonly string[] {
  const { best, card, result } = of;
  const energy = card === null ? null : headlineEnergy(card);
  const whole =
    energy === null
      ? result.energy === null
        ? "energy of the search not known"
        : `search ${formatQuantity(result.energy, "J")}`
      : `search ${formatFigure(energy.figure)} ${energy.boundary}`;
  const runs = `${result.outcomes.length} runs`;
  if (best?.joules == null || result.energy === null || best.joules === 0)
    return [`${whole}, ${runs}`];
  const times = significant(result.energy / best.joules);
  return [`${whole}, ${runs}: ${times} times the best run's ${energyText(best)}`];
}

/** The end of a search for programs. Energies are headline energies, in joules. */
export function tuneJson({ id, plan, command, result, card, notes }: ToldTune): string {
  const { outcomes, best, front, energy, stopped } = result;
  const listed = (list: readonly Outcome[]) =>
    list.map(({ joules: used, ...rest }) => ({ ...rest, energy_j: used }));
  const [first] = best === null ? [null] : listed([best]);
  return `${JSON.stringify(
    {
      schema: "godwit.tune/1",
      search: id,
      command,
      metric: plan.metric,
      goal: plan.goal,
      stopped,
      energy_j: energy,
      best: first,
      front: listed(front),
      runs: listed(outcomes),
      card: card?.id ?? null,
      notices: notes,
    },
    null,
    2,
  )}\n`;
}
