// What a search found, on a terminal.

import { formatFigure } from "../core/index.ts";
import { padded, wrap } from "../report/columns.ts";
import type { SlimReport } from "../report/slim/report.ts";
import {
  changeText,
  dropText,
  megabytes,
  partsText,
  payBackText,
  qualityText,
  ratioText,
  secondsText,
  trialText,
} from "../report/slim/words.ts";
import type { CliContext } from "./context.ts";
import { painter, wantsColor } from "./terminal.ts";
import { textTable } from "./text-table.ts";

const LABEL = 10;

/** The whole answer. */
export function slimText({ stdout, env }: CliContext, report: SlimReport): string {
  const paint = painter(wantsColor(stdout, env));
  const row = (label: string, text: string): readonly string[] =>
    wrap(text, stdout.columns - LABEL - 1).map(
      (line, at) => `${paint("quiet", padded(at === 0 ? label : "", LABEL))} ${line}`,
    );
  const { original, result, data, metric } = report;
  const isGood = report.outcome === "improved";
  return `${[
    paint(isGood ? "good" : "warn", `${TITLES[report.outcome]}: ${result?.path ?? original.path}`),
    ...row("answer", report.answer),
    "",
    ...row("model", `${original.path}, ${megabytes(original.bytes)}`),
    ...row("data", `${data.name}: ${partsText(data)}`),
    ...data.notes.flatMap((note) => row("", note)),
    ...report.costs.flatMap(({ name, cpu, latency, ratio, settings }) =>
      row(
        "cost",
        `${name} (${settings}): ${secondsText(cpu.median)} CPU a sample, ${secondsText(latency.p50)} (95 %: ${secondsText(latency.p95)}); ${ratioText(ratio)}`,
      ),
    ),
    ...energyRows(report, row),
    ...report.trials.flatMap((trial) =>
      row("verify", `${trial.name}: ${trialText(metric, trial)}`),
    ),
    "",
    ...candidateTable(report, stdout.columns),
    "",
    ...row("refused", refusedText(report)),
    ...row("again", report.command),
    ...row("cards", report.cards.map(({ what, id }) => `${what} ${id}`).join(", ")),
  ].join("\n")}\n`;
}

const TITLES: Readonly<Record<SlimReport["outcome"], string>> = {
  improved: "smaller and verified",
  "not-shown": "not shown to keep its quality",
  nothing: "nothing better found for",
  faulty: "faulty",
};

function energyRows(
  report: SlimReport,
  row: (label: string, text: string) => readonly string[],
): readonly string[] {
  const { before, after } = report.energy;
  const each =
    before === null || after === null
      ? []
      : row(
          "energy",
          `${formatFigure(before)} a sample before, ${formatFigure(after)} after (${after.method})`,
        );
  return [...each, ...row("", payBackText(report))];
}

function candidateTable({ candidates, front, metric }: SlimReport, width: number) {
  if (candidates.length === 0) return [];
  return textTable(
    [
      { title: "CANDIDATE", flexible: "wrap" },
      { title: "SIZE", align: "right" },
      { title: "CPU", align: "right" },
      { title: metric.toUpperCase(), align: "right" },
      { title: "DROP", align: "right" },
      { title: "FRONT" },
    ],
    candidates.map(({ name, bytes, ratio, quality, drop }) => [
      name,
      megabytes(bytes),
      ratio === null ? "" : changeText(ratio.value),
      qualityText(metric, quality),
      dropText(metric, drop),
      front.includes(name) ? "*" : "",
    ]),
    width,
  );
}

function refusedText({ refused }: SlimReport): string {
  if (refused.length === 0) return "nothing";
  const shown = refused.slice(0, 4).map(({ what, reason }) => `${what}: ${reason}`);
  const more = refused.length - shown.length;
  return `${shown.join("; ")}${more > 0 ? `; and ${more} more in the report` : ""}`;
}
