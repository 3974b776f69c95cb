// What `godwit slim exit` found, on a terminal.

import { formatFigure } from "../core/index.ts";
import { padded, wrap } from "../report/columns.ts";
import type { EarlyExitReport } from "../report/slim/exit-report.ts";
import {
  changeText,
  megabytes,
  payBackText,
  ratioText,
  secondsText,
  trialText,
} from "../report/slim/words.ts";
import type { CliContext } from "./context.ts";
import { painter, wantsColor } from "./terminal.ts";
import { textTable } from "./text-table.ts";

const LABEL = 10;

/** The whole answer. */
export function earlyExitText({ stdout, env }: CliContext, report: EarlyExitReport): string {
  const paint = painter(wantsColor(stdout, env));
  const row = (label: string, text: string): readonly string[] =>
    wrap(text, stdout.columns - LABEL - 1).map(
      (line, at) => `${paint("quiet", padded(at === 0 ? label : "", LABEL))} ${line}`,
    );
  const { original, result, data, outcome, expected, trials, energy } = report;
  const { before, after } = energy;
  const isGood = outcome === "improved";
  return `${[
    paint(isGood ? "good" : "warn", `${TITLES[outcome]}: ${result?.path ?? original.path}`),
    ...row("answer", report.answer),
    "",
    ...row("model", `${original.path}, ${megabytes(original.bytes)}`),
    ...(result === null ? [] : row("", `with exits ${megabytes(result.bytes)}, one row a run`)),
    ...row(
      "data",
      `${data.name}: ${data.heads} for heads, ${data.temperatures} for how sure they are, ${data.thresholds} for thresholds, ${data.verify} to verify`,
    ),
    ...data.notes.flatMap((note) => row("", note)),
    ...(expected === null
      ? []
      : row(
          "expected",
          `CPU time ${changeText(expected.ratio)}; ${changeText(expected.worst)} for a sample that goes to the end, as ${Math.round(100 * expected.stays)} % do`,
        )),
    ...report.costs.flatMap(({ name, cpu, ratio, settings }) =>
      row(
        "cost",
        `${name} (${settings}): ${secondsText(cpu.median)} CPU a sample; ${ratioText(ratio)}`,
      ),
    ),
    ...(before === null || after === null
      ? []
      : row(
          "energy",
          `${formatFigure(before)} a sample before, ${formatFigure(after)} after (${after.method})`,
        )),
    ...row("", payBackText(report)),
    ...trials.flatMap((trial) => row("verify", `${trial.name}: ${trialText("accuracy", trial)}`)),
    "",
    ...triedTable(report, stdout.columns),
    "",
    ...row("cards", report.cards.map(({ what, id }) => `${what} ${id}`).join(", ")),
  ].join("\n")}\n`;
}

const TITLES: Readonly<Record<EarlyExitReport["outcome"], string>> = {
  improved: "with exits and verified",
  "not-shown": "not shown to keep its accuracy",
  nothing: "exits do not pay for",
  faulty: "faulty",
};

function triedTable({ tried }: EarlyExitReport, width: number): readonly string[] {
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return textTable(
    [
      { title: "LEAVE AT", flexible: true },
      { title: "WORK BEFORE", align: "right" },
      { title: "ALONE RIGHT", align: "right" },
      { title: "LEAVING", align: "right" },
      { title: "STAYING", align: "right" },
      { title: "FROM", align: "right" },
      { title: "LEAVE", align: "right" },
    ],
    tried.map(({ value, work, accuracy, leave, stay, threshold, share }) => [
      value,
      percent(work),
      percent(accuracy),
      changeText(leave),
      changeText(1 + stay),
      threshold === null ? "" : threshold.toFixed(3),
      share === null ? "" : percent(share),
    ]),
    width,
  );
}
