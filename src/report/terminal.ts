// A card for the terminal: the answer first, then the evidence. Plain text in ASCII of our own;
// colours come from the caller, so that this module knows no escape codes.

import type { Card, Signal } from "../core/card.ts";
import {
  type AnyFigure,
  type Figure,
  formatDuration,
  formatFigure,
  formatQuantity,
  type Method,
  significant,
  withPrefix,
} from "../core/index.ts";
import { type EnergyPart, energyParts } from "./breakdown.ts";
import { percent } from "./charts/label.ts";
import { columnsOf, cut, padded, printable, wrap } from "./columns.ts";
import { type Equivalent, equivalentText } from "./equivalents.ts";
import { headlineEnergy } from "./headline.ts";
import { costTexts, qualityText, signalText } from "./words.ts";

/** What a piece of text is, for a caller that colours it. */
export type Role = "strong" | "quiet" | "good" | "warn" | "bad";

/** Wraps a text in the colour of its role. */
export type Paint = (role: Role, text: string) => string;

export interface TerminalOptions {
  /** Columns; 40 to 200. */
  readonly width?: number;
  readonly paint?: Paint;
  readonly equivalents?: readonly Equivalent[];
  /** Where the card was kept. */
  readonly savedTo?: string;
  /** Commands worth trying next. */
  readonly next?: readonly string[];
}

const plain: Paint = (_, text) => text;

const ROLE_OF: Readonly<Record<Method, Role>> = {
  measured: "good",
  sampled: "good",
  estimated: "warn",
  declared: "quiet",
};

const MARGIN = "  ";
const LABEL = 10;

/** The summary of a card, with a line break at its end. */
export function renderTerminal(card: Card, options: TerminalOptions = {}): string {
  const width = Math.min(200, Math.max(40, Math.trunc(options.width ?? 80)));
  const paint = options.paint ?? plain;
  const page: Page = { width, paint };
  const lines = [
    ...headLines(card, page),
    ...energyLines(card, page),
    ...componentLines(card, page),
    ...emissionLines(card, page),
    ...workLines(card, page),
    ...equivalentLines(options.equivalents ?? [], page),
    ...cautionLines(card, page),
    ...closingLines(options, page),
  ];
  // The micro sign is the one character of ours that is not ASCII.
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

interface Page {
  readonly width: number;
  readonly paint: Paint;
}

/** Name and answer; on one line where both fit. */
function headLines(card: Card, { width, paint }: Page): readonly string[] {
  const name = printable(card.subject.name);
  const facts = headFacts(card);
  const answer = facts.join("   ");
  const status = statusLines(card, { width, paint });
  if (columnsOf(name) + 3 + columnsOf(answer) <= width) {
    return [`${paint("strong", name)}   ${paint("strong", answer)}`, ...status];
  }
  return [
    paint("strong", cut(name, width)),
    ...wrapFacts(facts, width - MARGIN.length).map((line) => MARGIN + paint("strong", line)),
    ...status,
  ];
}

function headFacts(card: Card): readonly string[] {
  const { duration, power } = card.measures;
  const headline = headlineEnergy(card);
  return [
    headline === null ? "energy unknown" : formatFigure(headline.figure),
    formatQuantity(duration.value, "s"),
    ...(power === undefined ? [] : [`mean ${formatQuantity(power.mean.value, "W")}`]),
  ];
}

function wrapFacts(facts: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  for (const fact of facts) {
    const last = lines.at(-1);
    if (last !== undefined && columnsOf(last) + 3 + columnsOf(fact) <= width) {
      lines[lines.length - 1] = `${last}   ${fact}`;
    } else lines.push(fact);
  }
  return lines;
}

function statusLines({ status, exit }: Card, { width, paint }: Page): readonly string[] {
  const lines = (role: Role, words: string) =>
    wrap(printable(words), width - MARGIN.length).map((line) => MARGIN + paint(role, line));
  switch (status) {
    case "complete":
      return [];
    case "interrupted":
      return lines("warn", "interrupted: the figures are those until then");
    case "failed":
      if (exit === undefined) return lines("bad", "failed");
      return lines(
        "bad",
        exit.signal === null ? `ended with exit code ${exit.code}` : `ended by ${exit.signal}`,
      );
    default:
      return status satisfies never;
  }
}

/** One line a component: how much, which share, how it is known. */
function componentLines(card: Card, page: Page): readonly string[] {
  const parts = energyParts(card, "gross") ?? [];
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  const longest = Math.max(LABEL, ...parts.map(({ label }) => columnsOf(printable(label))));
  const labelWidth = Math.min(longest, Math.max(LABEL, Math.floor(page.width / 3) - 4));
  // The components add up to the gross energy; said where the answer is another one.
  const isAnswer = headlineEnergy(card)?.boundary === "gross" || parts.length === 0;
  const title = isAnswer ? [] : [`${MARGIN}${page.paint("quiet", "gross, by component")}`];
  const said = new Set<string>();
  const lines = parts.flatMap((part) => {
    const why = whyNotBetter(part.fallbacks).filter((reason) => !said.has(reason));
    for (const reason of why) said.add(reason);
    return [...partLine(part, { total, labelWidth }, page), ...indented(why, LABEL + 4, page)];
  });
  return [...title, ...lines];
}

function partLine(
  { label, value, method, source }: EnergyPart,
  { total, labelWidth }: { readonly total: number; readonly labelWidth: number },
  page: Page,
): readonly string[] {
  const head = [
    MARGIN + padded(cut(printable(label), labelWidth), labelWidth),
    padded(formatQuantity(value, "J"), 8, "left"),
    padded(total > 0 ? percent(value / total) : "", 5, "left"),
  ].join("  ");
  const left = columnsOf(head) + 2 + 11;
  const painted = `${head}  ${page.paint(ROLE_OF[method], padded(method, 11))}`;
  const room = page.width - left;
  if (room < 16) return [painted, ...indented([printable(source)], 6, page)];
  const [first = "", ...rest] = wrap(printable(source), room);
  return [
    painted + page.paint("quiet", first),
    ...rest.map((line) => " ".repeat(left) + page.paint("quiet", line)),
  ];
}

/** What could be mended is said in full; what this machine does not have is counted. */
function whyNotBetter(fallbacks: readonly string[]): readonly string[] {
  const told = fallbacks.length <= 2 ? fallbacks : fallbacks.filter((it) => / denied: /.test(it));
  const rest = fallbacks.length - told.length;
  return [
    ...told.map((reason) => `why: ${printable(reason)}`),
    ...(rest === 0 ? [] : [`why: ${rest} better ways are not here, see godwit doctor`]),
  ];
}

function indented(
  texts: readonly string[],
  indent: number,
  { width, paint }: Page,
): readonly string[] {
  return texts.flatMap((text) =>
    wrap(text, width - indent).map((line) => " ".repeat(indent) + paint("quiet", line)),
  );
}

/** The three boundaries side by side; the one that carries the emissions is marked. */
function energyLines(card: Card, page: Page): readonly string[] {
  const { energy } = card.measures;
  const headline = headlineEnergy(card);
  if (energy === undefined || headline === null) return [];
  const { paint } = page;
  const facts = (["gross", "net", "attributed"] as const).flatMap((boundary) => {
    const figure = energy[boundary];
    if (figure === undefined) return [];
    const mark = boundary === headline.boundary ? "*" : "";
    return [`${boundary}${mark} ${formatQuantity(figure.value, "J")}`];
  });
  const wh = withPrefix(headline.figure.value / 3600, "Wh");
  const scope = `* ${wh}, ${card.boundary.scope} boundary, ${headline.figure.method}`;
  return [
    ...labelled("energy", wrapFacts(facts, page.width - LABEL - 4), page),
    ...labelled(
      "",
      wrap(scope, page.width - LABEL - 4).map((line) => paint("quiet", line)),
      page,
    ),
  ];
}

function emissionLines(card: Card, page: Page): readonly string[] {
  const { emissions, embodied, water, cost } = card.measures;
  const { signal } = card;
  return [
    ...(emissions === undefined
      ? []
      : fact("emissions", `${formatFigure(emissions)}${at(signal)}`, page)),
    ...(signal === undefined || emissions === undefined ? [] : fact("", signalText(signal), page)),
    ...optional("embodied", embodied, page),
    ...optional("water", water, page),
    ...costTexts(cost).flatMap(([kind, text], index) =>
      fact(index === 0 ? "cost" : "", `${text}  ${kind}`, page),
    ),
  ];
}

const at = (signal: Signal | undefined): string =>
  signal === undefined ? "" : ` at ${formatQuantity(signal.intensity.value, "gCO2e/kWh")}`;

/** What the work was: CPU time, size, operations, quality, epochs. */
function workLines(card: Card, page: Page): readonly string[] {
  const { cpuTime, duration, modelSize, parameters, operations, savedPerUse } = card.measures;
  const { quality } = card;
  return [
    ...(cpuTime === undefined
      ? []
      : fact("cpu time", cpuText(cpuTime.value, duration.value), page)),
    ...optional("model", modelSize, page),
    ...optional("", parameters, page),
    ...optional("operations", operations?.macs ?? operations?.flops, page),
    ...(quality === undefined ? [] : fact("quality", qualityText(quality), page)),
    ...(savedPerUse === undefined ? [] : fact("saves", savingText(savedPerUse, card), page)),
  ];
}

function savingText(saved: Figure<"J">, { measures: { paidBackAfter } }: Card): string {
  const each = `${formatFigure(saved)} a use, ${saved.method}`;
  if (paidBackAfter === undefined) return each;
  return `${each}; pays itself back after ${Math.ceil(paidBackAfter.value).toLocaleString("en")} uses`;
}

function cpuText(cpuS: number, durationS: number): string {
  const cores = durationS > 0 ? `, ${significant(cpuS / durationS)} cores on average` : "";
  return `${formatDuration(cpuS)}${cores}`;
}

function equivalentLines(equivalents: readonly Equivalent[], page: Page): readonly string[] {
  if (equivalents.length === 0) return [];
  const texts = equivalents.map(equivalentText);
  return labelled("like", wrapFacts(texts, page.width - LABEL - 4), page);
}

/** What a reader must know before trusting the figures. */
function cautionLines(card: Card, page: Page): readonly string[] {
  const caution = (label: string, text: string) => {
    const lines = wrap(printable(text), page.width - LABEL - 4);
    return labelled(
      label,
      lines.map((line) => page.paint("warn", line)),
      page,
    );
  };
  const gaps = card.gaps.map(
    ({ sensor, fromS, toS, reason }) =>
      `${sensor}, ${formatDuration(fromS)} to ${formatDuration(toS)}: ${reason}`,
  );
  return [
    ...gaps.slice(0, 3).flatMap((text) => caution("gap", text)),
    ...(gaps.length > 3 ? caution("", `and ${gaps.length - 3} more gaps`) : []),
    ...card.notices.flatMap((text) => caution("note", text)),
  ];
}

function closingLines({ savedTo, next = [] }: TerminalOptions, page: Page): readonly string[] {
  return [
    ...(savedTo === undefined ? [] : fact("saved", printable(savedTo), page)),
    ...next.flatMap((command, index) => fact(index === 0 ? "next" : "", command, page)),
  ];
}

function optional(label: string, figure: AnyFigure | undefined, page: Page): readonly string[] {
  if (figure === undefined) return [];
  const method = figure.method === "measured" ? "" : `  ${figure.method}`;
  return fact(label, `${formatFigure(figure)}${method}`, page);
}

const fact = (label: string, text: string, page: Page): readonly string[] =>
  labelled(label, wrap(text, page.width - LABEL - 4), page);

/** Lines with a label in front of the first; the text of each must fit already. */
function labelled(label: string, lines: readonly string[], { paint }: Page): readonly string[] {
  return lines.map(
    (line, index) => `${MARGIN}${paint("quiet", padded(index === 0 ? label : "", LABEL))}  ${line}`,
  );
}
