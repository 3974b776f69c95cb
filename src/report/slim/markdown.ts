// A search for a smaller model as Markdown: for a pull request or a model's README.

import { escapeMarkdown } from "../markdown.ts";
import type { SlimReport } from "./report.ts";
import {
  changeText,
  dropText,
  megabytes,
  payBackText,
  qualityText,
  ratioText,
  secondsText,
  trialText,
} from "./words.ts";

/** The report as a section with tables. */
export function slimMarkdown(report: SlimReport): string {
  const { metric, original, result, data } = report;
  const parts = [
    `## slim: ${escapeMarkdown(original.path.split(/[\\/]/).at(-1) ?? original.path)}`,
    escapeMarkdown(report.answer),
    tableOf(
      ["model and session", "CPU time a sample", "p50", "p95", "against the original"],
      report.costs.map(({ name, cpu, latency, ratio }) => [
        ...[name, secondsText(cpu.median), secondsText(latency.p50), secondsText(latency.p95)],
        ratioText(ratio),
      ]),
    ),
    tableOf(
      ["candidate", "size", "CPU time", metric, "drop"],
      report.candidates.map(({ name, bytes, ratio, quality, drop }) => [
        ...[name, megabytes(bytes), ratio === null ? "" : changeText(ratio.value)],
        ...[qualityText(metric, quality), dropText(metric, drop)],
      ]),
    ),
    report.trials
      .map((trial) => `- ${escapeMarkdown(`${trial.name}: ${trialText(metric, trial)}`)}`)
      .join("\n"),
    escapeMarkdown(`Energy: ${payBackText(report)}.`),
    report.refused
      .map(({ what, reason }) => `- left alone: ${escapeMarkdown(`${what}: ${reason}`)}`)
      .join("\n"),
    `\`\`\`\n${report.command.replaceAll("`", "'")}\n\`\`\``,
    `<sub>godwit ${escapeMarkdown(report.godwit)}, ${data.verify} samples to verify; original ${original.sha256}${result === null ? "" : `, result ${result.sha256}`}</sub>`,
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeMarkdown).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)]
    .join("\n")
    .replaceAll("\\-\\-\\-", "---");
}
