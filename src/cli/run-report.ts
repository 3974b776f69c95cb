// What `godwit run` says at the end: the card of one run, or the spread of several.

import type { Card } from "../core/card.ts";
import {
  type AnyFigure,
  combinedMethod,
  formatQuantity,
  type Method,
  type Unit,
} from "../core/index.ts";
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
  readonly of: (card: Card) => Pick<AnyFigure, "value" | "method"> | undefined;
}[] = [
  { name: "time", key: "duration_s", unit: "s", of: ({ measures }) => measures.duration },
  { name: "energy", key: "energy_j", unit: "J", of: (card) => headlineEnergy(card)?.figure },
  {
    name: "emissions",
    key: "emissions_gco2e",
    unit: "gCO2e",
    of: ({ measures }) => measures.emissions,
  },
  { name: "cpu time", key: "cpu_time_s", unit: "s", of: ({ measures }) => measures.cpuTime },
];

interface Summed {
  readonly name: string;
  readonly key: string;
  readonly unit: Unit;
  readonly values: readonly number[];
  readonly method: Method;
  readonly spread: Spread;
}

function sumUp(cards: readonly Card[]): readonly Summed[] {
  return MEASURES.flatMap(({ name, key, unit, of }) => {
    const figures = cards.flatMap((card) => of(card) ?? []);
    if (figures.length === 0) return [];
    const values = figures.map(({ value }) => value);
    const method = combinedMethod(figures.map((figure) => figure.method));
    return [{ name, key, unit, values, method, spread: spreadOf(values) }];
  });
}

/** The text for people. */
export function renderRuns(cards: readonly Card[], view: RunsView): string {
  const { plan, paint, width, savedTo } = view;
  const [card] = cards;
  const notes = view.notices.map((text) => noteLine(text, paint));
  const notices = notes.map((line) => `${line}\n`).join("");
  if (card === undefined) return notices;
  if (plan.runs === 1) {
    const next = savedTo === null ? [] : [`godwit explain ${card.id}`];
    const saved = savedTo === null ? {} : { savedTo: `${card.id} in ${savedTo}` };
    return renderTerminal(card, { width, paint, next, ...saved }) + notices;
  }
  const lines = sumUp(cards).map((summed) => spreadLine(summed, paint));
  const times = cards.map(({ measures }) => measures.duration.value);
  const advice = outlierAdvice(times, plan.warmUps);
  const short = cards.length < plan.runs ? [`stopped: ${endOf(cards.at(-1) ?? card)}`] : [];
  const count = cards.length < plan.runs ? `${cards.length} of ${plan.runs}` : `${plan.runs}`;
  return [
    paint("strong", `${plan.name}   ${count} runs`),
    ...lines,
    ...[...short, ...(advice === null ? [] : [advice])].map((text) => noteLine(text, paint)),
    ...(savedTo === null ? [] : [`  saved       ${savedTo}`]),
    notices,
  ].join("\n");
}

/** As the card's own notes look. */
const noteLine = (text: string, paint: Paint): string =>
  `  ${paint("quiet", "note      ")}  ${paint("warn", text)}`;

function endOf({ status, exit }: Card): string {
  if (exit?.signal) return `the last run was ended by ${exit.signal}`;
  if (status === "interrupted") return "the last run was interrupted";
  return `the last run ended with exit code ${exit?.code ?? "unknown"}`;
}

/**
 * `  energy      1.23 J ± 40.0 mJ   1.18 J to 1.31 J   estimated`. The spread is that from run to
 * run; how far an estimate itself can be off is on each card.
 */
function spreadLine({ name, unit, spread, method }: Summed, paint: Paint): string {
  const { mean, deviation, min, max } = spread;
  const text = (value: number): string => formatQuantity(value, unit);
  const centre = deviation === null ? text(mean) : `${text(mean)} ± ${text(deviation)}`;
  const range = `${text(min)} to ${text(max)}`;
  const start = `  ${paint("quiet", name.padEnd(10))}  ${centre.padEnd(28)}  `;
  return method === "measured" ? start + range : `${start}${range.padEnd(26)}  ${method}`;
}

/**
 * The JSON: the card where one run was asked for and could be measured, else `godwit.runs/1` with
 * all cards and their spread, however many of the runs there were in the end.
 */
export function runsToJson(
  cards: readonly Card[],
  of: { readonly plan: RunPlan; readonly notices: readonly string[] },
): string {
  const { plan, notices } = of;
  const [card] = cards;
  if (plan.runs === 1 && card !== undefined) return renderJson(card);
  const summary = Object.fromEntries(
    sumUp(cards).map(({ key, values, method, spread }) => [key, { ...spread, method, values }]),
  );
  const all = { schema: RUNS_SCHEMA, runs: cards, summary, notices };
  return `${JSON.stringify(all, null, 2)}\n`;
}
