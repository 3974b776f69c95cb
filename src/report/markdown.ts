// A card as Markdown (GitHub's dialect): for a pull request, a job summary, a model's README.

import type { Card } from "../core/card.ts";
import { formatFigure, formatQuantity } from "../core/index.ts";
import { energyParts } from "./breakdown.ts";
import { percent } from "./charts/label.ts";
import { type Equivalent, equivalentRange, equivalentText } from "./equivalents.ts";
import { figuresOf, headlineEnergy } from "./headline.ts";
import { legible } from "./markup.ts";
import { qualityText, signalText } from "./words.ts";

export interface MarkdownOptions {
  readonly equivalents?: readonly Equivalent[];
}

/** The card as a section with tables. */
export function renderMarkdown(card: Card, { equivalents = [] }: MarkdownOptions = {}): string {
  const sections = [
    `## ${escapeMarkdown(card.subject.name)}`,
    summary(card),
    components(card),
    carbon(card),
    equivalents.length === 0 ? "" : likeLines(equivalents),
    cautions(card),
    provenance(card),
    `<sub>godwit ${escapeMarkdown(card.godwit.version)}, card ${escapeMarkdown(card.id)}, ${card.startedAt}</sub>`,
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

/**
 * Text that Markdown and the HTML inside it leave as it is: nothing becomes a tag, a link, a mention,
 * an emphasis, a heading, a list or a cell.
 */
export function escapeMarkdown(value: string): string {
  return legible(value)
    .replace(/[\\`*_[\]|~#$]/g, (char) => `\\${char}`)
    .replace(/[&<>@]/g, (char) => `&#${char.charCodeAt(0)};`)
    .replaceAll("://", "&#58;//")
    .replace(/www\./gi, (prefix) => `${prefix.slice(0, 3)}&#46;`)
    .replace(/^(\d+)([.)])(?=\s|$)/, "$1\\$2")
    .replace(/^[-+=]/, (char) => `\\${char}`);
}

function summary(card: Card): string {
  const headline = headlineEnergy(card);
  const { duration, power, emissions } = card.measures;
  const facts = [
    headline === null
      ? "**energy unknown**"
      : `**${formatFigure(headline.figure)}** ${headline.boundary}, ${headline.figure.method}`,
    formatQuantity(duration.value, "s"),
    ...(power === undefined ? [] : [`mean ${formatQuantity(power.mean.value, "W")}`]),
    ...(emissions === undefined ? [] : [`${formatFigure(emissions)}`]),
    ...(card.quality === undefined ? [] : [escapeMarkdown(qualityText(card.quality))]),
  ];
  const status = card.status === "complete" ? "" : `\n\n> This run is ${card.status}.`;
  return facts.join(" | ").replaceAll(" | ", " &middot; ") + status;
}

function components(card: Card): string {
  const parts = energyParts(card, "gross") ?? [];
  if (parts.length === 0) return "";
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  return table(
    ["component", "gross energy", "share", "method", "source"],
    parts.map(({ label, value, method, source }) => [
      escapeMarkdown(label),
      formatQuantity(value, "J"),
      total > 0 ? percent(value / total) : "",
      method,
      escapeMarkdown(source),
    ]),
  );
}

function carbon({ signal, measures }: Card): string {
  if (signal === undefined || measures.emissions === undefined) return "";
  const intensity = formatFigure(signal.intensity);
  return `Emissions at ${intensity}: ${escapeMarkdown(signalText(signal))}.`;
}

function likeLines(equivalents: readonly Equivalent[]): string {
  return equivalents
    .map(
      (equivalent) =>
        `- ${equivalentText(equivalent)} (${equivalentRange(equivalent)}): ${escapeMarkdown(equivalent.thing.amount.source)}`,
    )
    .join("\n");
}

function cautions({ gaps, notices }: Card): string {
  return [
    ...gaps.map(({ sensor, reason }) => `> gap in ${escapeMarkdown(`${sensor}: ${reason}`)}`),
    ...notices.map((notice) => `> ${escapeMarkdown(notice)}`),
  ].join("\n>\n");
}

function provenance(card: Card): string {
  const rows = figuresOf(card).map(({ label, figure }) => [
    escapeMarkdown(label),
    formatFigure(figure),
    figure.method,
    escapeMarkdown([figure.source, ...(figure.fallbacks ?? [])].join("; ")),
  ]);
  const body = table(["figure", "value (90 % interval)", "method", "source"], rows);
  return `<details><summary>Where every number comes from</summary>\n\n${body}\n\n</details>`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
