// The chain of a card's arithmetic as text: each step with its formula, its numbers and its source.

import type { Card, Step } from "../core/card.ts";
import { formatFigure, formatQuantity, suggest, type Unit, UserError } from "../core/index.ts";
import { padded, printable, wrap } from "../report/columns.ts";

type AnyOf = Step["result"];

/**
 * The steps that lead to a measure: those whose name contains it, and all steps whose results they
 * use. All steps when no measure is given. Throws UserError when the card has none of it.
 */
export function stepsBehind(card: Card, measure: string | undefined): readonly Step[] {
  const { steps } = card;
  if (steps.length === 0) {
    throw new UserError("invalid-input", `run ${card.id} keeps no arithmetic`, {
      hint: "Its figures are as its sources gave them; godwit show has the sources.",
    });
  }
  if (measure === undefined) return steps;
  const wanted = measure.toLowerCase();
  const chosen = new Set(steps.filter(({ name }) => name.toLowerCase().includes(wanted)));
  if (chosen.size === 0) throw unknownMeasure(measure, steps);
  const pending = [...chosen];
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    for (const input of Object.values(step.inputs)) {
      const origin = steps.find((one) => !chosen.has(one) && isSame(one.result, input));
      if (origin !== undefined) {
        chosen.add(origin);
        pending.push(origin);
      }
    }
  }
  return steps.filter((step) => chosen.has(step));
}

function isSame(a: AnyOf, b: AnyOf): boolean {
  return (
    a.unit === b.unit &&
    a.value === b.value &&
    a.low === b.low &&
    a.high === b.high &&
    a.source === b.source
  );
}

function unknownMeasure(measure: string, steps: readonly Step[]): UserError {
  const names = [...new Set(steps.map(({ name }) => name))];
  const near = suggest(measure, names);
  return new UserError("invalid-input", `no step of the run is about ${measure}`, {
    hint: near === null ? `There is: ${names.join(", ")}.` : `Did you mean ${near}?`,
  });
}

const MARGIN = "  ";

/** Steps as text of at most `width` columns, with a line break at its end. */
export function explanation(card: Card, steps: readonly Step[], width: number): string {
  const head = wrap(printable(`${card.subject.name}  ${card.id}`), width);
  const blocks = steps.map((step, index) => stepLines(step, index + 1, width));
  const boundary = wrap(
    `boundary: ${card.boundary.scope}; emissions rest on ${card.boundary.headline} energy; idle: ${printable(card.boundary.idlePolicy)}`,
    width,
  );
  return `${[head, ...blocks, boundary].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function stepLines(step: Step, number: number, width: number): readonly string[] {
  const inputs = Object.entries(step.inputs);
  const longest = Math.min(24, Math.max(0, ...inputs.map(([name]) => name.length)));
  return [
    ...wrap(`${number}. ${printable(step.name)} = ${textOf(step.result)}`, width),
    ...block(equation(step.formula), width, MARGIN),
    ...(inputs.length === 0 ? [] : block(equation(filledIn(step)), width, MARGIN)),
    ...inputs.flatMap(([name, figure]) => {
      const what = `${padded(printable(name), longest)}  ${textOf(figure)}, ${figure.method}`;
      const from = figure.source === "" ? "" : `: ${printable(figure.source)}`;
      return block(what + from, width, MARGIN.repeat(2));
    }),
    ...block(`by ${printable(step.source)}`, width, MARGIN),
  ];
}

/** A formula as the right side of an equation, unless it brings its own left side. */
const equation = (formula: string): string =>
  formula.includes("=") ? printable(formula) : `= ${printable(formula)}`;

/** The first line moved in by a margin, the others by two more columns. */
function block(text: string, width: number, margin: string): readonly string[] {
  return wrap(text, width - margin.length - 2).map((line, at) =>
    at === 0 ? margin + line : `${margin}  ${line}`,
  );
}

/** The formula with a number in the place of every input. */
export function filledIn({ formula, inputs }: Step): string {
  const names = Object.keys(inputs).sort((a, b) => b.length - a.length);
  if (names.length === 0) return formula;
  const escaped = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  // Names of devices hold dashes, so word boundaries are not enough: `gpu-1` is not in `gpu-10`.
  const pattern = new RegExp(`(?<![\\w-])(?:${escaped.join("|")})(?![\\w-])`, "g");
  return formula.replace(pattern, (name) => {
    const input = inputs[name];
    return input === undefined ? name : baseText(input);
  });
}

/** A value in its base unit, so that the formula can be followed with a calculator. */
function baseText({ value, unit }: AnyOf): string {
  const number = Number(value.toPrecision(6));
  return unit === "1" ? String(number) : `${number} ${unit}`;
}

const UNITS = new Set<string>([
  "J",
  "W",
  "s",
  "gCO2e",
  "gCO2e/kWh",
  "B",
  "L",
  "L/kWh",
  "MAC",
  "FLOP",
  "parameters",
  "gSbe",
  "money",
  "money/kWh",
  "money/tCO2e",
  "1",
] satisfies Unit[]);

/** A figure for people; a unit of a newer version is spelt as it is. */
function textOf(figure: AnyOf): string {
  if (!UNITS.has(figure.unit)) return `${figure.value} ${printable(figure.unit)}`;
  const known = { ...figure, unit: figure.unit as Unit };
  return figure.low === figure.high ? formatQuantity(known.value, known.unit) : formatFigure(known);
}
