// What `godwit run` says at the end: the card of one run, or the spread of several.

import type { Card } from "../core/card.ts";
import { formatQuantity, type Unit } from "../core/index.ts";
import { outlierAdvice, type Spread, spreadOf } from "../measure/run/repeat.ts";
import { headlineEnergy, type Paint, renderJson, renderTerminal } from "../report/index.ts";
import type { RunPlan } from "./run-options.ts";

/** Schema of the JSON of several runs. */
const RUNS_SCHEMA = "godwit.runs/1";

export interface RunsView {
  readonly plan: RunPlan;
  readonly notices: readonly string[];
  readonly savedTo: string | null;
  readonly width: number;
  readonly paint: Paint;
}

/** The measures that repeated runs are summed up by. */
const MEASURES: readonly {
  readonly name: string;
  readonly key: string;
  readonly unit: Unit;
  readonly of: (card: Card) => number | undefined;
}[] = [
  { name: "time", key: "duration_s", unit: "s", of: ({ measures }) => measures.duration.value },
  { name: "energy", key: "energy_j", unit: "J", of: (card) => headlineEnergy(card)?.figure.value },
  {
    name: "emissions",
    key: "emissions_gco2e",
    unit: "gCO2e",
    of: ({ measures }) => measures.emissions?.value,
  },
  { name: "cpu time", key: "cpu_time_s", unit: "s", of: ({ measures }) => measures.cpuTime?.value },
];

interface Summed {
  readonly name: string;
  readonly key: string;
  readonly unit: Unit;
  readonly values: readonly number[];
  readonly spread: Spread;
}

function sumUp(cards: readonly Card[]): readonly Summed[] {
  return MEASURES.flatMap(({ name, key, unit, of }) => {
    const values = cards.flatMap((card) => of(card) ?? []);
    return values.length === 0 ? [] : [{ name, key, unit, values, spread: spreadOf(values) }];
  });
}

/** The text for people. */
export function renderRuns(cards: readonly Card[], view: RunsView): string {
  const { plan, paint, width, savedTo } = view;
  const [card] = cards;
  const notices = view.notices.map((text) => `  ${paint("warn", `note  ${text}`)}\n`).join("");
  if (card === undefined) return notices;
  if (cards.length === 1) {
    const next = savedTo === null ? [] : [`godwit explain ${card.id}`];
    const saved = savedTo === null ? {} : { savedTo: `${card.id} in ${savedTo}` };
    return renderTerminal(card, { width, paint, next, ...saved }) + notices;
  }
  const lines = sumUp(cards).map(({ name, unit, spread }) => spreadLine(name, unit, spread));
  const times = cards.map(({ measures }) => measures.duration.value);
  const advice = outlierAdvice(times, plan.warmUps);
  const short = cards.length < plan.runs ? [`stopped after ${cards.length} of ${plan.runs}`] : [];
  return [
    paint("strong", `${plan.name}   ${cards.length} runs`),
    ...lines,
    ...[...short, ...(advice === null ? [] : [advice])].map(
      (text) => `  ${paint("warn", `note  ${text}`)}`,
    ),
    ...(savedTo === null ? [] : [`  saved       ${savedTo}`]),
    notices,
  ].join("\n");
}

/** `  time        1.23 s ± 0.04   1.18 s to 1.31 s`. */
function spreadLine(name: string, unit: Unit, { mean, deviation, min, max }: Spread): string {
  const text = (value: number): string => formatQuantity(value, unit);
  const spread = deviation === null ? "" : ` ± ${text(deviation)}`;
  return `  ${name.padEnd(10)}  ${`${text(mean)}${spread}`.padEnd(28)}  ${text(min)} to ${text(max)}`;
}

/** The JSON: the card of one run, else `godwit.runs/1` with all cards and their spread. */
export function runsToJson(cards: readonly Card[], notices: readonly string[]): string {
  const [card] = cards;
  if (cards.length === 1 && card !== undefined) return renderJson(card);
  const summary = Object.fromEntries(
    sumUp(cards).map(({ key, values, spread }) => [key, { ...spread, values }]),
  );
  const all = { schema: RUNS_SCHEMA, runs: cards, summary, notices };
  return `${JSON.stringify(all, null, 2)}\n`;
}
