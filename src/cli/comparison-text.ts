// A comparison for the terminal: the verdict first, then what differs, then what it rests on.

import type { Card } from "../core/card.ts";
import { formatQuantity, significant } from "../core/index.ts";
import type { Comparison, ComparisonRow, RatioTest, Sides } from "../measure/compare/index.ts";
import { printable, wrap } from "../report/columns.ts";
import { textTable } from "./text-table.ts";

export interface ComparisonTextOptions {
  readonly width: number;
  /** `different` leaves out rows whose values are equal. */
  readonly rows: "different" | "all";
}

/** The comparison as lines of at most `width` columns, with a line break at its end. */
export function comparisonText(
  comparison: Comparison,
  sides: Sides,
  { width, rows }: ComparisonTextOptions,
): string {
  const shown = comparison.rows.filter((row) => rows === "all" || !isEqual(row));
  const hidden = comparison.rows.length - shown.length;
  const context = contextRows(sides).filter(([, a, b]) => rows === "all" || a !== b);
  const paragraphs = [
    wrap(verdictText(comparison), width),
    measureTable(shown, width),
    hidden === 0
      ? []
      : [`${hidden} equal ${hidden === 1 ? "row" : "rows"} left out; --all shows them`],
    reasonLines(shown, width),
    wrapAll(qualityText(comparison), width),
    context.length === 0 ? [] : textTable(CONTEXT_COLUMNS, context, width),
    comparison.warnings.flatMap((warning) => indent(`warning: ${warning}`, width)),
    wrap(comparison.method, width),
  ].filter((lines) => lines.length > 0);
  return `${paragraphs.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

const CONTEXT_COLUMNS = [
  { title: "" },
  { title: "BASELINE", flexible: true },
  { title: "CANDIDATE", flexible: true },
] as const;

function isEqual({ ratio, verdict }: ComparisonRow): boolean {
  return verdict === "within noise" && ratio?.value === 1;
}

function verdictText({ headline, verdict, rows }: Comparison): string {
  const row = rows.find(({ key }) => key === headline);
  if (row === undefined) return `${verdict}: neither side has an energy or a running time`;
  const change = row.ratio === null ? "" : ` ${changeText(row.ratio)}`;
  const reason = row.reason === null ? "" : `, ${row.reason}`;
  return `${verdict}: ${row.label}${change}${reason}`;
}

function measureTable(rows: readonly ComparisonRow[], width: number): readonly string[] {
  if (rows.length === 0) return [];
  return textTable(
    [
      { title: "", flexible: "wrap" },
      { title: "BASELINE", align: "right" },
      { title: "CANDIDATE", align: "right" },
      { title: "CHANGE (90 %)" },
      { title: "VERDICT" },
    ],
    rows.map((row) => [
      row.label,
      sideText(row, row.baseline),
      sideText(row, row.candidate),
      row.ratio === null ? "" : changeText(row.ratio),
      row.verdict,
    ]),
    width,
  );
}

const sideText = ({ unit }: ComparisonRow, side: ComparisonRow["baseline"]): string =>
  side === null ? "-" : formatQuantity(side.value, unit).replace(/ parameters$/, "");

/** `-28.9 % (-33.1 to -24.2)`; a factor when it is large. */
function changeText({ value, low, high, test }: RatioTest): string {
  const isFactor = high >= 10 || low <= 0.1;
  const text = (ratio: number): string => (isFactor ? `${significant(ratio, 2)}x` : percent(ratio));
  const unit = isFactor ? "" : " %";
  return test === "exact"
    ? `${text(value)}${unit}`
    : `${text(value)}${unit} (${text(low)} to ${text(high)})`;
}

function percent(ratio: number): string {
  const change = (ratio - 1) * 100;
  const size = Math.abs(change);
  const text = size < 0.05 ? significant(change, 1) : change.toFixed(size < 10 ? 1 : 0);
  return change > 0 ? `+${text}` : text;
}

/** Why rows have no verdict, each reason once with the rows it holds for. */
function reasonLines(rows: readonly ComparisonRow[], width: number): readonly string[] {
  const labels = new Map<string, string[]>();
  for (const { label, reason } of rows) {
    if (reason !== null) labels.set(reason, [...(labels.get(reason) ?? []), label]);
  }
  return [...labels].flatMap(([reason, of]) => indent(`${reason}: ${of.join("; ")}`, width));
}

function qualityText({ quality }: Comparison): string {
  if (quality === null) return "";
  const { metric, baseline, candidate, difference, verdict, reason } = quality;
  const values = [baseline, candidate].map((value) => (value === null ? "-" : significant(value)));
  const range =
    difference === null
      ? ""
      : `, ${significant(difference.value)} (${significant(difference.low)} to ${significant(difference.high)})`;
  const why = reason === null ? "" : ` (${reason})`;
  return printable(`quality: ${metric} ${values.join(" -> ")}${range}, ${verdict}${why}`);
}

/** What the sides are, beside their numbers: name, both values. */
function contextRows({
  baseline,
  candidate,
}: Sides): readonly (readonly [string, string, string])[] {
  const tags = new Set(
    [...baseline, ...candidate].flatMap(({ subject }) => Object.keys(subject.tags)),
  );
  const properties: readonly (readonly [string, (card: Card) => string])[] = [
    ["run", ({ id }) => id],
    ["name", ({ subject }) => subject.name],
    ["command", ({ subject }) => subject.command?.join(" ") ?? "-"],
    ...[...tags].map(
      (tag) => [`tag ${tag}`, (card: Card) => card.subject.tags[tag] ?? "-"] as const,
    ),
    ["status", ({ status }) => status],
    ["machine", ({ machine }) => machine.cpu.name],
    ["scope", ({ boundary }) => boundary.scope],
    ["zone", ({ signal }) => signal?.zone ?? "-"],
    ["godwit", ({ godwit }) => godwit.version],
  ];
  const said = (cards: readonly Card[], of: (card: Card) => string): string => {
    const values = [...new Set(cards.map(of))];
    return values.length > 3 ? `${values.length} different` : values.join(", ");
  };
  return properties.map(([name, of]) => [name, said(baseline, of), said(candidate, of)]);
}

const wrapAll = (text: string, width: number): readonly string[] =>
  text === "" ? [] : wrap(text, width);

/** Wrapped, the lines after the first moved in. */
function indent(text: string, width: number): readonly string[] {
  return wrap(printable(text), width - 2).map((line, at) => (at === 0 ? line : `  ${line}`));
}
